-- Dívida líquida sobre patrimônio líquido
-- Dívida líquida (dívida bruta menos disponibilidades; negativa quando sobra caixa) / patrimônio líquido, em vezes; só com patrimônio
-- positivo. Bancos e seguradoras não têm dívida líquida. Só ativos líquidos (mais de R$ 1 milhão por dia).
SELECT nome_papel, nome_empresa, nome_setor, vlr_divida_liq, vlr_patrim_liq,
       round(vlr_divida_liq / vlr_patrim_liq, 4) AS divida_liquida_sobre_patrimonio
FROM ${vw_acoes_ultimo_dia}
WHERE vol_med_neg_2m > 1000000
  AND vlr_divida_liq IS NOT NULL
  AND vlr_patrim_liq > 0
  AND nome_papel IN (SELECT codigo_ticker_ativo FROM ${vw_ativos_negociados})
ORDER BY vlr_divida_liq / vlr_patrim_liq DESC, nome_papel
LIMIT 50
