-- Maiores dividend yields entre os ativos líquidos
-- Dividend yield como o site o mostra: proventos por ação ou cota sobre a cotação, em pontos percentuais (17.5 = 17,5%).
-- O de um fundo pode diferir de vlr_dividendo_sobre_cota / vlr_cot.
-- Líquido: mais de R$ 1 milhão negociado por dia, em média nos últimos dois meses.
SELECT papel, tipo, nome, setor, vlr_cot, dividend_yield, vol_med_neg_2m
FROM (
  SELECT nome_papel AS papel, 'Ação' AS tipo, nome_empresa AS nome, nome_setor AS setor,
         vlr_cot, vlr_ind_div_yield AS dividend_yield, vol_med_neg_2m
  FROM ${vw_acoes_ultimo_dia}
  UNION ALL
  SELECT fii, 'Fundo Imobiliário', nome_fii, segmento, vlr_cot, vlr_div_yield, vol_med_neg_2m
  FROM ${vw_fiis_ultimo_dia}
)
WHERE vol_med_neg_2m > 1000000
  AND dividend_yield IS NOT NULL
  AND papel IN (SELECT codigo_ticker_ativo FROM ${vw_ativos_negociados})
ORDER BY dividend_yield DESC, papel
LIMIT 20
