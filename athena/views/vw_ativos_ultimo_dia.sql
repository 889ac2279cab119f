-- Ações e fundos imobiliários no último dia do lake: uma linha por ativo, também dos que já não negociam
SELECT ${columns}
FROM ${spec_ativos}
WHERE anomesdia_exec = (SELECT max(anomesdia_exec) FROM ${spec_ativos_partitions})
