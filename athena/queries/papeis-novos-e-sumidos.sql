-- Ativos novos e ativos que sumiram desde o dia anterior do lake
-- Novo: está no último dia e não estava no anterior. Sumiu: o contrário, porque o site deixou de listá-lo ou porque a página dele faltou
-- naquele dia; a consulta da qualidade diz qual dia ficou incompleto.
WITH dias AS (
  SELECT anomesdia_exec
  FROM ${spec_ativos_partitions}
  ORDER BY anomesdia_exec DESC
  LIMIT 2
), ultimo AS (
  SELECT DISTINCT codigo_ticker_ativo, tipo_ativo, nome_ativo, dt_ult_cot, anomesdia_exec
  FROM ${spec_ativos}
  WHERE anomesdia_exec = (SELECT max(anomesdia_exec) FROM dias)
), anterior AS (
  SELECT DISTINCT codigo_ticker_ativo, tipo_ativo, nome_ativo, dt_ult_cot, anomesdia_exec
  FROM ${spec_ativos}
  WHERE anomesdia_exec = (SELECT min(anomesdia_exec) FROM dias)
)
SELECT 'novo' AS situacao, codigo_ticker_ativo, tipo_ativo, nome_ativo, dt_ult_cot, anomesdia_exec
FROM ultimo
WHERE codigo_ticker_ativo NOT IN (SELECT codigo_ticker_ativo FROM anterior)
UNION ALL
SELECT 'sumiu', codigo_ticker_ativo, tipo_ativo, nome_ativo, dt_ult_cot, anomesdia_exec
FROM anterior
WHERE codigo_ticker_ativo NOT IN (SELECT codigo_ticker_ativo FROM ultimo)
ORDER BY situacao, codigo_ticker_ativo
