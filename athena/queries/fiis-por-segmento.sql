-- Fundos imobiliários por segmento
-- Médias simples dos fundos que ainda negociam: dividend yield em pontos percentuais (17.5 = 17,5%), P/VP em vezes.
-- O P/VP do segmento é a soma dos valores de mercado sobre a soma dos patrimônios dos fundos que têm os dois.
SELECT segmento,
       count(*) AS fundos,
       round(avg(vlr_div_yield), 2) AS dividend_yield_medio,
       round(avg(vlr_p_sobre_vp), 2) AS p_vp_medio,
       round(sum(CASE WHEN vlr_mercado IS NOT NULL AND vlr_patrim_liq > 0 THEN vlr_mercado END)
             / sum(CASE WHEN vlr_mercado IS NOT NULL AND vlr_patrim_liq > 0 THEN vlr_patrim_liq END), 2) AS p_vp_do_segmento,
       sum(vlr_patrim_liq) AS patrimonio_liquido
FROM ${vw_fiis_ultimo_dia}
WHERE fii IN (SELECT codigo_ticker_ativo FROM ${vw_ativos_negociados})
GROUP BY segmento
ORDER BY fundos DESC, segmento
