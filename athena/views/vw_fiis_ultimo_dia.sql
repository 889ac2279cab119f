-- Fundos imobiliários no último dia do lake: uma linha por fundo, também dos que já não negociam
SELECT ${columns}
FROM ${sot_fiis}
WHERE anomesdia_exec = (SELECT max(anomesdia_exec) FROM ${sot_fiis_partitions})
