-- Série de um papel por sessão (não ajustada por desdobramentos)
-- Escreva o papel no lugar de PETR4. Variação = cotação / cotação da sessão anterior do papel − 1, em fração (0.01 = 1%).
-- Desdobramentos, grupamentos e proventos não são descontados: num desdobramento de 1 para 2 a cotação cai à metade.
SELECT dt_ult_cot, vlr_cot,
       vlr_cot / lag(vlr_cot) OVER (ORDER BY dt_ult_cot) - 1 AS variacao,
       vlr_min_52_sem, vlr_max_52_sem
FROM ${vw_ativos_por_sessao}
WHERE codigo_ticker_ativo = 'PETR4'
ORDER BY dt_ult_cot
