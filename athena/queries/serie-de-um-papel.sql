-- Série de um ativo por pregão, não ajustada por desdobramentos (lê todos os dias do lake: limite dt_ult_cot)
-- Escreva o ativo no lugar de PETR4 e o primeiro pregão que interessa no lugar de 2000-01-01. Variação = cotação / cotação do pregão
-- anterior do ativo − 1, em fração (0.01 = 1%).
-- Desdobramentos, grupamentos e proventos não são descontados: num desdobramento de 1 para 2 a cotação cai à metade.
SELECT dt_ult_cot, vlr_cot,
       vlr_cot / lag(vlr_cot) OVER (ORDER BY dt_ult_cot) - 1 AS variacao,
       vlr_min_52_sem, vlr_max_52_sem
FROM ${vw_ativos_por_sessao}
WHERE codigo_ticker_ativo = 'PETR4'
  AND dt_ult_cot >= DATE '2000-01-01'
ORDER BY dt_ult_cot
