-- Possíveis desdobramentos e grupamentos, os mais novos primeiro (lê todos os dias do lake)
-- Fator = quantidade de ações ou cotas dividida pela do pregão anterior do ativo: 2 é um desdobramento de 1 para 2; 0.1 é um grupamento de
-- 10 para 1. Confirme no aviso da empresa ou do fundo. As cotações do lake não são ajustadas.
SELECT codigo_ticker_ativo, tipo_ativo, nome_ativo, sessao_anterior, dt_ult_cot, fator,
       quantidade_anterior, quantidade, vlr_cot_anterior, vlr_cot
FROM ${vw_possiveis_desdobramentos}
ORDER BY dt_ult_cot DESC, codigo_ticker_ativo
