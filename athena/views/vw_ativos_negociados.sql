-- Ativos que ainda negociam: os do último dia com cotação nos 30 dias até o pregão mais recente
SELECT ${columns}
FROM (
  SELECT ${columns}, max(dt_ult_cot) OVER () AS sessao_mais_recente
  FROM ${vw_ativos_ultimo_dia}
)
WHERE dt_ult_cot >= sessao_mais_recente - interval '30' day
