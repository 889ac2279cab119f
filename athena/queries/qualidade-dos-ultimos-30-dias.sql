-- Qualidade dos últimos 30 dias do lake
-- De cada dia o veredito (a medida dia, que é a pior situação dele) e tudo o que não ficou ok: o valor medido, a referência contra a qual
-- foi medido e o motivo.
SELECT anomesdia_exec, situacao, tabela, medida, coluna, valor, referencia, motivo
FROM ${spec_quality}
WHERE anomesdia_exec >= (
    SELECT min(anomesdia_exec)
    FROM (SELECT anomesdia_exec FROM ${spec_quality_partitions} ORDER BY anomesdia_exec DESC LIMIT 30)
  )
  AND (medida = 'dia' OR situacao <> 'ok')
ORDER BY anomesdia_exec DESC, CASE WHEN medida = 'dia' THEN 0 ELSE 1 END, tabela, medida, coluna
