-- Número de Graham: quanto a cotação está abaixo dele
-- Número de Graham = raiz de (22,5 × LPA × VPA), em reais; só com lucro e patrimônio positivos. 22,5 = P/L de 15 × P/VP de 1,5.
-- Margem = número de Graham / cotação − 1, em fração (0.25 = 25% acima da cotação). Só ativos líquidos (mais de R$ 1 milhão por dia).
SELECT nome_papel, nome_empresa, vlr_cot, vlr_ind_lpa, vlr_ind_vpa,
       round(graham, 2) AS numero_de_graham, round(graham / vlr_cot - 1, 4) AS margem
FROM (
  SELECT nome_papel, nome_empresa, vlr_cot, vlr_ind_lpa, vlr_ind_vpa,
         sqrt(22.5 * vlr_ind_lpa * vlr_ind_vpa) AS graham
  FROM ${vw_acoes_ultimo_dia}
  WHERE vol_med_neg_2m > 1000000
    AND vlr_ind_lpa > 0
    AND vlr_ind_vpa > 0
    AND vlr_cot > 0
    AND nome_papel IN (SELECT codigo_ticker_ativo FROM ${vw_ativos_negociados})
)
ORDER BY graham / vlr_cot DESC, nome_papel
LIMIT 30
