//! Pictures from any address: whoever names it is a stranger to us, and so is the host.

use std::time::Duration;

use galley_fetch::{
    GuardedClients,
    address::{LinkError, check_link},
};
use reqwest::{Response, header::LOCATION};
use url::Url;

/// For one request, from its connection to its last byte.
const TIME: Duration = Duration::from_secs(20);
/// Hosts of pictures send on to their storage, and that to its nearest copy.
const MAX_REDIRECTS: usize = 4;

/// Why there is no picture from an address. Worded to follow the name of the field that it was given in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureLinkError {
    #[error("{0}")]
    Link(#[from] LinkError),
    #[error("must begin with https://")]
    NotHttps,
    #[error("leads to an address that is not fetched: it {0}")]
    Redirect(String),
    #[error("leads on and on; give the address of the picture itself")]
    TooManyRedirects,
    #[error("was answered with {0}; give the address of a picture that everybody may read")]
    Status(u16),
    #[error("is of more than {} MiB, the most that is taken", .0 >> 20)]
    TooLarge(usize),
    #[error("did not answer within {} s; try again, or upload the picture", TIME.as_secs())]
    TooSlow,
    #[error("cannot be reached; check the address, or upload the picture")]
    Unreachable,
}

fn checked(clients: &GuardedClients, link: &str) -> Result<Url, PictureLinkError> {
    let url = check_link(link, clients.policy())?;
    if url.scheme() != "https" && !clients.policy().names_host_of(&url) {
        return Err(PictureLinkError::NotHttps);
    }
    Ok(url)
}

/// The bytes behind an address, at most `most`. Each redirect is checked as the address itself is. What the bytes are is not
/// looked at.
///
/// # Errors
/// [`PictureLinkError`] with what is wrong with the address or with its answer.
pub async fn fetch_picture(clients: &GuardedClients, link: &str, most: usize) -> Result<Vec<u8>, PictureLinkError> {
    let mut url = checked(clients, link)?;
    for _ in 0..=MAX_REDIRECTS {
        // Some clients ask for packed bodies, which they unpack themselves.
        let request = clients.client_for(&url).get(url.clone()).header("Accept", "image/*");
        let request = request.header("Accept-Encoding", "identity").timeout(TIME);
        let response = request.send().await.map_err(|error| failure(&error))?;
        if !response.status().is_redirection() {
            return body(response, most).await;
        }
        let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
        let target = target.and_then(|target| url.join(target).ok());
        let target = target.ok_or_else(|| PictureLinkError::Status(response.status().as_u16()))?;
        url = checked(clients, target.as_str()).map_err(|error| PictureLinkError::Redirect(error.to_string()))?;
    }
    Err(PictureLinkError::TooManyRedirects)
}

async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, PictureLinkError> {
    if !response.status().is_success() {
        return Err(PictureLinkError::Status(response.status().as_u16()));
    }
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(PictureLinkError::TooLarge(most));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(PictureLinkError::TooLarge(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn failure(error: &reqwest::Error) -> PictureLinkError {
    if error.is_timeout() { PictureLinkError::TooSlow } else { PictureLinkError::Unreachable }
}
