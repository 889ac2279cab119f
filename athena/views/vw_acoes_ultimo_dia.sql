-- Ações no último dia do lake: uma linha por ativo, também dos que já não negociam
SELECT ${columns}
FROM ${sot_acoes}
WHERE anomesdia_exec = (SELECT max(anomesdia_exec) FROM ${sot_acoes_partitions})
