//! Names of time zones, and what somebody may have meant.

use chrono_tz::{TZ_VARIANTS, Tz};

/// Longer than every name of a zone.
const NAME_CHARS: usize = 64;
/// Letters that a typing error may change.
const TYPING_ERROR: usize = 2;

/// The zone of an IANA name, exactly as IANA writes it.
///
/// # Errors
/// Says what is wrong, with the name that is near, if there is one.
pub fn parse_zone(name: &str) -> Result<Tz, String> {
    if name.is_empty() {
        return Err("must not be empty; give an IANA time zone such as Europe/Berlin".into());
    }
    if name.chars().count() > NAME_CHARS {
        return Err(format!("has more than {NAME_CHARS} characters; give an IANA time zone such as Europe/Berlin"));
    }
    name.parse().map_err(|_| match nearest(name) {
        Some(near) => format!("'{name}' is no known time zone; did you mean {near}?"),
        None => format!("'{name}' is no known time zone; give an IANA name such as Europe/Berlin or UTC"),
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let wanted = plain(name);
    let named = || TZ_VARIANTS.iter().map(|zone| (zone.name(), plain(zone.name())));
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    // Wrong case or blanks; then the city alone or in the wrong continent; then a typing error.
    if let Some((near, _)) = named().find(|(_, plain)| *plain == wanted) {
        return Some(near);
    }
    let same_city = named().filter(|(near, plain)| near.contains('/') && city(plain) == city(&wanted));
    if let Some((near, _)) = same_city.min_by_key(|(near, _)| near.len()) {
        return Some(near);
    }
    // Names as short as this are near to everything.
    if wanted.len() < 5 {
        return None;
    }
    let distances = named().map(|(near, plain)| (strsim::osa_distance(&plain, &wanted), near));
    distances.filter(|(distance, _)| *distance <= TYPING_ERROR).min().map(|(_, near)| near)
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_near_ones_are_suggested() {
        assert_eq!(parse_zone("Europe/Berlin"), Ok(Tz::Europe__Berlin));
        assert_eq!(parse_zone("UTC"), Ok(Tz::UTC));
        for (given, meant) in [
            ("europe/berlin", "Europe/Berlin"),
            ("EUROPE/BERLIN", "Europe/Berlin"),
            ("America/New York", "America/New_York"),
            (" Europe/Berlin ", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("Europe/Tokyo", "Asia/Tokyo"),
            ("Europe/Berln", "Europe/Berlin"),
            ("Europe/Viena", "Europe/Vienna"),
            ("utc", "UTC"),
        ] {
            let error = parse_zone(given).unwrap_err();
            assert_eq!(error, format!("'{given}' is no known time zone; did you mean {meant}?"));
        }
    }

    #[test]
    fn what_is_near_nothing_says_how_to_write_one() {
        for given in ["Mars/Olympus", "+02:00", "CEST", "\0", "欧洲/柏林"] {
            let error = parse_zone(given).unwrap_err();
            assert!(error.ends_with("give an IANA name such as Europe/Berlin or UTC"), "{error}");
        }
        assert!(parse_zone("").unwrap_err().starts_with("must not be empty"));
        assert!(parse_zone(&"x".repeat(10_000)).unwrap_err().len() < 100);
    }
}
