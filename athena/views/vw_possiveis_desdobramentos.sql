-- Possíveis desdobramentos e grupamentos: entre dois pregões do ativo, a quantidade muda e a cotação muda na proporção inversa (lê todos os dias do lake)
-- O fator é a quantidade de ações ou cotas dividida pela anterior: 2 é um desdobramento de 1 para 2; 0.1 é um grupamento de 10 para 1.
-- Bonificações e fatores entre 2/3 e 1,5 ficam de fora: não se distinguem de emissões e da variação do pregão. Nada é ajustado.
SELECT codigo_ticker_ativo, tipo_ativo, nome_ativo, sessao_anterior, dt_ult_cot, fator,
       quantidade_anterior, quantidade, vlr_cot_anterior, vlr_cot, anomesdia_exec
FROM (
  SELECT *,
         CAST(quantidade AS double) / lag(quantidade) OVER (PARTITION BY codigo_ticker_ativo ORDER BY dt_ult_cot) AS fator,
         lag(quantidade) OVER (PARTITION BY codigo_ticker_ativo ORDER BY dt_ult_cot) AS quantidade_anterior,
         lag(vlr_cot) OVER (PARTITION BY codigo_ticker_ativo ORDER BY dt_ult_cot) AS vlr_cot_anterior,
         lag(dt_ult_cot) OVER (PARTITION BY codigo_ticker_ativo ORDER BY dt_ult_cot) AS sessao_anterior
  FROM (
    SELECT *,
           row_number() OVER (
             PARTITION BY codigo_ticker_ativo, dt_ult_cot
             ORDER BY anomesdia_exec DESC, datetime_exec DESC
           ) AS leitura
    FROM (
      SELECT nome_papel AS codigo_ticker_ativo, 'Ação' AS tipo_ativo, nome_empresa AS nome_ativo, dt_ult_cot, vlr_cot,
             num_acoes AS quantidade, datetime_exec, anomesdia_exec
      FROM ${sot_acoes}
      UNION ALL
      SELECT fii, 'Fundo Imobiliário', nome_fii, dt_ult_cot, vlr_cot, num_cotas, datetime_exec, anomesdia_exec
      FROM ${sot_fiis}
    )
    WHERE dt_ult_cot IS NOT NULL AND vlr_cot > 0 AND quantidade > 0
  )
  WHERE leitura = 1
)
WHERE greatest(fator, 1 / fator) >= 1.5
  AND fator * vlr_cot / vlr_cot_anterior BETWEEN 0.8 AND 1.25
