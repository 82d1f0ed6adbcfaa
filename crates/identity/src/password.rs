//! Passwords: Argon2id in PHC strings, and those that everybody tries first.

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use galley_domain::Hidden;

pub const LEAST_CHARS: usize = 8;
pub const MOST_CHARS: usize = 256;
/// What a list of the commonest ten thousand would be tried in.
const COMMON_GUESSES: u64 = 10_000;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// KiB of memory.
    pub memory_kib: u32,
    pub passes: u32,
}

impl Default for PasswordCost {
    /// The least that OWASP recommends, in one lane.
    fn default() -> Self {
        Self { memory_kib: 19 << 10, passes: 2 }
    }
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password cannot be hashed with {memory_kib} KiB and {passes} passes")]
    Cost { memory_kib: u32, passes: u32 },
    #[error("a password could not be hashed")]
    Failed,
}

/// Makes and checks hashes. Each takes a tenth of a second or so of a core: not for the threads that answer requests.
#[derive(Debug)]
pub struct Passwords {
    argon: Argon2<'static>,
    cost: PasswordCost,
    /// What the password of somebody who is not there is compared with.
    nobody: String,
}

impl Passwords {
    /// # Errors
    /// When Argon2 does not take this cost, or the operating system gives no salt.
    pub fn new(cost: PasswordCost) -> Result<Self, PasswordError> {
        let PasswordCost { memory_kib, passes } = cost;
        let wrong = |_| PasswordError::Cost { memory_kib, passes };
        let params = Params::new(memory_kib, passes, 1, None).map_err(wrong)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // Made now, so that the first who asks for nobody does not wait twice as long as others.
        let made = Self { argon, cost, nobody: String::new() };
        Ok(Self { nobody: made.hash(&Hidden::new("nobody's"))?, ..made })
    }

    /// # Errors
    /// When the operating system gives no salt.
    pub fn hash(&self, password: &Hidden) -> Result<String, PasswordError> {
        let hash: PasswordHash =
            self.argon.hash_password(password.expose().as_bytes()).map_err(|_| PasswordError::Failed)?;
        Ok(hash.to_string())
    }

    /// Whether it is the password of this hash. Of nobody's hash it is not, which takes as long.
    pub fn matches(&self, password: &Hidden, hash: Option<&str>) -> bool {
        let Ok(parsed) = PasswordHash::new(hash.unwrap_or(&self.nobody)) else { return false };
        let matches = self.argon.verify_password(password.expose().as_bytes(), &parsed).is_ok();
        matches && hash.is_some()
    }

    /// Whether a hash was made at less cost than is asked for now.
    pub fn outgrown(&self, hash: &str) -> bool {
        let Ok(parsed) = PasswordHash::new(hash) else { return true };
        let Ok(params) = Params::try_from(&parsed) else { return true };
        params.m_cost() < self.cost.memory_kib || params.t_cost() < self.cost.passes
    }
}

/// What is wrong with a new password; `about` is what others know of its owner.
pub fn weakness(password: &str, about: &[&str]) -> Option<String> {
    let count = password.chars().count();
    if count < LEAST_CHARS {
        return Some(format!("has {count} characters; give at least {LEAST_CHARS}"));
    }
    if count > MOST_CHARS {
        return Some(format!("has {count} characters; give at most {MOST_CHARS}"));
    }
    if password.contains('\0') {
        return Some("contains a NUL character; remove it".to_owned());
    }
    let is_common = zxcvbn::zxcvbn(password, about).guesses() < COMMON_GUESSES;
    is_common.then(|| "is among those that everybody tries first; choose a longer or less common one".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::new(PasswordCost { memory_kib: 64, passes: 1 }).expect("a cost")
    }

    #[test]
    fn a_password_matches_its_hash_alone_and_nobody_has_one() {
        let (passwords, right) = (cheap(), Hidden::new("correct horse"));
        let hash = passwords.hash(&right).expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(&right).expect("a hash"), "with a salt");
        assert!(passwords.matches(&right, Some(&hash)));
        assert!(!passwords.matches(&Hidden::new("correct horsf"), Some(&hash)));
        assert!(!passwords.matches(&Hidden::new("nobody's"), None));
        assert!(!passwords.matches(&right, Some("no hash")));
    }

    #[test]
    fn a_hash_of_less_cost_is_outgrown() {
        let hash = cheap().hash(&Hidden::new("correct horse")).expect("a hash");
        let at =
            |memory_kib, passes| Passwords::new(PasswordCost { memory_kib, passes }).expect("a cost").outgrown(&hash);
        assert_eq!([at(64, 1), at(128, 1), at(64, 2), at(32, 1)], [false, true, true, false]);
        assert!(cheap().outgrown("no hash"));
        assert!(Passwords::new(PasswordCost { memory_kib: 1, passes: 1 }).is_err());
    }

    #[test]
    fn what_everybody_tries_first_is_told_from_what_they_do_not() {
        for weak in ["short", "password", "Passw0rd", "12345678", "qwertyuiop", "ada@example.com", "aaaaaaaaaaaa"] {
            assert!(weakness(weak, &["ada@example.com", "Ada"]).is_some(), "{weak}");
        }
        for good in ["tea leaves at noon", "mVx9!kd02-qq", "ärger mit dem ofen"] {
            assert_eq!(weakness(good, &["ada@example.com"]), None, "{good}");
        }
        assert!(weakness(&"x9Ä".repeat(90), &[]).is_some_and(|why| why.contains("at most 256")));
    }
}
