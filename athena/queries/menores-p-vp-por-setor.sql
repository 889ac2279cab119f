-- Ações mais baratas por P/VP em cada setor
-- P/VP: cotação sobre patrimônio líquido por ação, em vezes; só positivos. As três menores de cada setor.
-- Líquida: mais de R$ 1 milhão negociado por dia, em média nos últimos dois meses.
SELECT nome_setor, posicao, nome_papel, nome_empresa, vlr_cot, vlr_ind_p_sobre_vp, vlr_ind_roe
FROM (
  SELECT nome_setor, nome_papel, nome_empresa, vlr_cot, vlr_ind_p_sobre_vp, vlr_ind_roe,
         row_number() OVER (PARTITION BY nome_setor ORDER BY vlr_ind_p_sobre_vp, nome_papel) AS posicao
  FROM ${vw_acoes_ultimo_dia}
  WHERE vol_med_neg_2m > 1000000
    AND vlr_ind_p_sobre_vp > 0
    AND nome_papel IN (SELECT codigo_ticker_ativo FROM ${vw_ativos_negociados})
)
WHERE posicao <= 3
ORDER BY nome_setor, posicao
