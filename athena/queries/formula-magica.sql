-- Fórmula mágica: ROIC alto e EV/EBIT baixo
-- A posição no ROIC (do maior para o menor) mais a posição no EV/EBIT (do menor para o maior): quanto menor a soma, melhor.
-- Só ativos líquidos (mais de R$ 1 milhão por dia) com os dois indicadores positivos: bancos e seguradoras não têm EV/EBIT.
-- Cada classe de ações de uma empresa (PETR3, PETR4) tem a sua posição.
SELECT nome_papel, nome_empresa, nome_setor, vlr_cot, vlr_ind_roic, vlr_ind_ev_sobre_ebit,
       posicao_roic, posicao_ev_ebit, posicao_roic + posicao_ev_ebit AS soma
FROM (
  SELECT nome_papel, nome_empresa, nome_setor, vlr_cot, vlr_ind_roic, vlr_ind_ev_sobre_ebit,
         rank() OVER (ORDER BY vlr_ind_roic DESC) AS posicao_roic,
         rank() OVER (ORDER BY vlr_ind_ev_sobre_ebit) AS posicao_ev_ebit
  FROM ${vw_acoes_ultimo_dia}
  WHERE vol_med_neg_2m > 1000000
    AND vlr_ind_roic > 0
    AND vlr_ind_ev_sobre_ebit > 0
    AND nome_papel IN (SELECT codigo_ticker_ativo FROM ${vw_ativos_negociados})
)
ORDER BY soma, nome_papel
LIMIT 30
