//! Second factors: the codes of an app (RFC 6238), codes by mail, and backup codes.

use galley_domain::Hidden;
use totp_rs::{Builder, Secret, Totp};

use crate::{NoRandom, random};

/// Backup codes that are made at once.
pub const BACKUP_CODES: usize = 10;
const BACKUP_CHARS: usize = 10;
/// Without signs that people take for each other.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const SECRET_BYTES: usize = 20;

/// A secret for an app, in Base32.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn new_secret() -> Result<Hidden, NoRandom> {
    Ok(Hidden::new(Secret::from(random::<SECRET_BYTES>()?).to_base32()))
}

fn app(secret: &Hidden) -> Option<Builder> {
    Secret::try_from_base32(secret.expose()).ok().map(|secret| Builder::new().with_secret(secret))
}

/// The address that an app reads from a QR code.
pub fn otpauth_uri(secret: &Hidden, account: &str, issuer: &str) -> Option<Hidden> {
    let plain = |text: &str| text.replace(':', " ");
    let builder = app(secret)?.with_account_name(plain(account)).with_issuer(Some(plain(issuer)));
    builder.build().ok()?.to_url().ok().map(Hidden::new)
}

/// Which step of the clock a code of the app is of: the one of `now` (seconds since 1970), or one beside it. A step that was
/// taken before must not be taken again; whoever keeps the secret keeps the last one.
pub fn step_of(secret: &Hidden, code: &str, now: u64) -> Option<u64> {
    let code = plain(code);
    let is_code = code.len() == 6 && code.bytes().all(|sign| sign.is_ascii_digit());
    let app: Totp = app(secret).filter(|_| is_code)?.build().ok()?;
    app.check(&code, now)
}

/// The code that the app shows.
pub fn code_at(secret: &Hidden, now: u64) -> Option<String> {
    let app: Totp = app(secret)?.build().ok()?;
    Some(app.generate(now).to_string())
}

/// Six digits to send by mail.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn mail_code() -> Result<Hidden, NoRandom> {
    let number = u64::from_be_bytes(random::<8>()?) % 1_000_000;
    Ok(Hidden::new(format!("{number:06}")))
}

/// # Errors
/// When the operating system gives no random numbers.
pub fn backup_codes() -> Result<Vec<Hidden>, NoRandom> {
    let one = || {
        let letters = random::<BACKUP_CHARS>()?.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let (first, second) = letters.split_at(BACKUP_CHARS / 2);
        Ok(Hidden::new(format!("{}-{}", first.iter().collect::<String>(), second.iter().collect::<String>())))
    };
    (0..BACKUP_CODES).map(|_| one()).collect()
}

/// A code as it is compared: without blanks and dashes, in small letters.
pub fn plain(code: &str) -> String {
    code.chars().filter(|sign| sign.is_ascii_alphanumeric()).map(|sign| sign.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits.
        let secret = Hidden::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(code_at(&secret, 59).as_deref(), Some("287082"));
        assert_eq!(code_at(&secret, 1_111_111_109).as_deref(), Some("081804"));
        assert_eq!(step_of(&secret, "287082", 59), Some(1));
        assert_eq!(step_of(&secret, "287 082", 89), Some(1), "one step late");
        assert_eq!(step_of(&secret, "287082", 29), Some(1), "one step early");
        assert_eq!(step_of(&secret, "287082", 90), None, "two steps late");
        for wrong in ["", "28708", "2870822", "28708x", "287083"] {
            assert_eq!(step_of(&secret, wrong, 59), None, "{wrong}");
        }
        assert_eq!(step_of(&Hidden::new("not base32!"), "287082", 59), None);
    }

    #[test]
    fn an_app_can_read_the_address() {
        let secret = new_secret().expect("random");
        let uri = otpauth_uri(&secret, "ada@example.com", "Galley: tea").expect("an address");
        let uri = uri.expose();
        assert!(uri.starts_with("otpauth://totp/Galley%20%20tea:ada%40example.com?"), "{uri}");
        assert!(uri.contains(&format!("secret={}", secret.expose())) && uri.contains("issuer=Galley"), "{uri}");
    }

    #[test]
    fn codes_for_people_differ_and_can_be_typed_in_any_way() {
        let codes = backup_codes().expect("random");
        assert_eq!(codes.len(), BACKUP_CODES);
        let distinct: std::collections::BTreeSet<&str> = codes.iter().map(Hidden::expose).collect();
        assert_eq!(distinct.len(), BACKUP_CODES);
        assert!(codes.iter().all(|code| code.expose().len() == 11 && plain(code.expose()).len() == BACKUP_CHARS));
        assert_eq!(plain(" AbCdE-12 345 "), "abcde12345");
        let code = mail_code().expect("random");
        assert!(code.expose().len() == 6 && code.expose().bytes().all(|sign| sign.is_ascii_digit()));
    }
}
