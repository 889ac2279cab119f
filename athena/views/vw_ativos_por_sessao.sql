-- Ações e fundos imobiliários por pregão: uma linha por ativo e dt_ult_cot, a da última leitura (lê todos os dias do lake: limite dt_ult_cot)
SELECT ${columns}
FROM (
  SELECT ${columns},
         row_number() OVER (
           PARTITION BY codigo_ticker_ativo, dt_ult_cot
           ORDER BY anomesdia_exec DESC, datetime_exec DESC
         ) AS leitura
  FROM ${spec_ativos}
  WHERE dt_ult_cot IS NOT NULL
)
WHERE leitura = 1
