-- O que mudou desde o pregão anterior
-- Variação = cotação no pregão mais recente / cotação no pregão anterior do ativo − 1, em fração (0.01 = 1%), não ajustada por
-- desdobramentos. Só ativos líquidos (mais de R$ 1 milhão por dia), da maior para a menor variação, para cima ou para baixo.
-- O pregão anterior é procurado nos últimos dez dias do lake: quem negocia todo dia está neles.
SELECT codigo_ticker_ativo, tipo_ativo, nome_ativo, sessao_anterior, vlr_cot_anterior, dt_ult_cot, vlr_cot,
       vlr_cot / vlr_cot_anterior - 1 AS variacao
FROM (
  SELECT codigo_ticker_ativo, tipo_ativo, nome_ativo, dt_ult_cot, vlr_cot,
         lag(dt_ult_cot) OVER (PARTITION BY codigo_ticker_ativo ORDER BY dt_ult_cot) AS sessao_anterior,
         lag(vlr_cot) OVER (PARTITION BY codigo_ticker_ativo ORDER BY dt_ult_cot) AS vlr_cot_anterior,
         max(dt_ult_cot) OVER () AS sessao_mais_recente
  FROM (
    SELECT codigo_ticker_ativo, tipo_ativo, nome_ativo, dt_ult_cot, vlr_cot,
           row_number() OVER (
             PARTITION BY codigo_ticker_ativo, dt_ult_cot
             ORDER BY anomesdia_exec DESC, datetime_exec DESC
           ) AS leitura
    FROM ${spec_ativos}
    WHERE anomesdia_exec >= (
        SELECT min(anomesdia_exec)
        FROM (SELECT anomesdia_exec FROM ${spec_ativos_partitions} ORDER BY anomesdia_exec DESC LIMIT 10)
      )
      AND dt_ult_cot IS NOT NULL
  )
  WHERE leitura = 1
)
WHERE dt_ult_cot = sessao_mais_recente
  AND vlr_cot_anterior > 0
  AND codigo_ticker_ativo IN (
    SELECT nome_papel FROM ${vw_acoes_ultimo_dia} WHERE vol_med_neg_2m > 1000000
    UNION ALL
    SELECT fii FROM ${vw_fiis_ultimo_dia} WHERE vol_med_neg_2m > 1000000
  )
ORDER BY abs(vlr_cot / vlr_cot_anterior - 1) DESC, codigo_ticker_ativo
LIMIT 30
