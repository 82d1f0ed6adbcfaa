//! The few messages of the PostgreSQL protocol (version 3) that are needed to see that the server is ready and to make
//! a database, so that neither a client library nor `psql` has to be there.

use std::{io, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{PORT, USER, error::PgError, socket_file};

/// Longest message that is accepted from the server, in bytes.
const MAX_MESSAGE: usize = 1 << 20;
const PROTOCOL: i32 = 3 << 16;

pub(crate) struct Session {
    stream: UnixStream,
    socket: std::path::PathBuf,
}

impl Session {
    /// Connects and logs in (by `trust`); when this returns, the server takes statements.
    pub(crate) async fn connect(socket_dir: &Path, database: &str) -> Result<Self, PgError> {
        let socket = socket_file(socket_dir, PORT);
        let stream = UnixStream::connect(&socket)
            .await
            .map_err(|source| PgError::Connection { socket: socket.clone(), source })?;
        let mut session = Self { stream, socket };
        let mut body = PROTOCOL.to_be_bytes().to_vec();
        for word in ["user", USER, "database", database, "application_name", "galley-private-postgres"] {
            body.extend_from_slice(word.as_bytes());
            body.push(0);
        }
        body.push(0);
        session.send(None, &body).await?;
        session.answer().await?;
        Ok(session)
    }

    /// Runs one statement and returns how many rows came back.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<usize, PgError> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.send(Some(b'Q'), &body).await?;
        self.answer().await
    }

    async fn send(&mut self, kind: Option<u8>, body: &[u8]) -> Result<(), PgError> {
        let length = i32::try_from(body.len() + 4).map_err(|_| self.broken("the statement is too long"))?;
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(body);
        self.stream.write_all(&message).await.map_err(|source| self.connection(source))
    }

    /// Reads until the server is ready for the next statement. An error ends the log-in, but not a statement's answer.
    async fn answer(&mut self) -> Result<usize, PgError> {
        let (mut rows, mut refused) = (0, None);
        loop {
            let (kind, body) = match self.receive().await {
                Ok(message) => message,
                Err(error) => return Err(refused.unwrap_or(error)),
            };
            match kind {
                b'Z' => return refused.map_or(Ok(rows), Err),
                b'D' => rows += 1,
                b'E' => refused = Some(refusal(&body)),
                b'R' if body != [0; 4] => return Err(self.broken("the server asks for a password")),
                _ => {}
            }
        }
    }

    async fn receive(&mut self) -> Result<(u8, Vec<u8>), PgError> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).await.map_err(|source| self.connection(source))?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !(4..=MAX_MESSAGE).contains(&length) {
            return Err(self.broken("a message of impossible length"));
        }
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body).await.map_err(|source| self.connection(source))?;
        Ok((head[0], body))
    }

    fn connection(&self, source: io::Error) -> PgError {
        PgError::Connection { socket: self.socket.clone(), source }
    }

    fn broken(&self, what: &'static str) -> PgError {
        self.connection(io::Error::new(io::ErrorKind::InvalidData, what))
    }
}

/// Reads the fields of an error message: a letter and a zero-terminated text each.
fn refusal(body: &[u8]) -> PgError {
    let (mut sqlstate, mut message) = (String::new(), String::new());
    for field in body.split(|&byte| byte == 0) {
        let Some((kind, text)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(text);
        match kind {
            b'C' => sqlstate = text.into_owned(),
            b'M' => message = text.into_owned(),
            _ => {}
        }
    }
    PgError::Refused { sqlstate, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn against(answer: &'static [u8]) -> PgError {
        let temp = tempfile::tempdir().unwrap();
        let listener = tokio::net::UnixListener::bind(socket_file(temp.path(), PORT)).unwrap();
        let server = tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            peer.write_all(answer).await.unwrap();
            let mut rest = Vec::new();
            let _ = peer.read_buf(&mut rest).await;
        });
        let error = Session::connect(temp.path(), "postgres").await.err().unwrap();
        server.await.unwrap();
        error
    }

    #[tokio::test]
    async fn a_strange_server_is_an_error_not_a_panic() {
        let error = against(b"E\0\0\0\x20SFATAL\0C57P03\0Mstarting up\0\0").await;
        assert!(matches!(&error, PgError::Refused { sqlstate, .. } if sqlstate == "57P03"), "{error}");
        assert!(against(b"R\0\0\0\x08\0\0\0\x03").await.to_string().contains("password"));
        assert!(against(b"HTTP/1.1 400 Bad Request\r\n").await.to_string().contains("impossible length"));
        assert!(against(b"R\0\0\0\0").await.to_string().contains("impossible length"));
        assert!(matches!(against(b"").await, PgError::Connection { .. }));
        assert!(matches!(refusal(b""), PgError::Refused { .. }));
    }
}
