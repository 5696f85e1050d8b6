module cliauth

go 1.24
