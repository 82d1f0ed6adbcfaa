//! A private Postgres cluster from the machine's own binaries, started and stopped with the process.
