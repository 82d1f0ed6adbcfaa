use super::*;

/// `^{…}` is raised, `_{…}` is lowered.
fn written(given: &str) -> String {
    let mut runs = Runs::default();
    let mut rest = given;
    while !rest.is_empty() {
        let at = rest.find("^{").into_iter().chain(rest.find("_{")).min().unwrap_or(rest.len());
        runs.push(Rise::Plain, &rest[..at]);
        rest = &rest[at..];
        if let Some((inner, tail)) = rest.get(2..).and_then(|inner| inner.split_once('}')) {
            runs.push(if rest.starts_with('^') { Rise::Raised } else { Rise::Lowered }, inner);
            rest = tail;
        }
    }
    runs.take()
}

#[test]
fn powers_units_and_formulas_keep_their_raised_and_lowered_digits() {
    for (given, wanted) in [
        ("holds 4 × 10^{6} cells", "holds 4 × 10⁶ cells"),
        ("4·10^{−3} mol", "4·10⁻³ mol"),
        ("spread over 25 m^{2} of wall", "spread over 25 m² of wall"),
        ("1,200km^{2}.", "1,200km²."),
        ("9.81 m s^{-2}", "9.81 m s⁻²"),
        ("E = mc^{2}", "E = mc²"),
        ("x^{2}+y^{2} = z^{2}", "x²+y² = z²"),
        ("3^{4} = 81", "3⁴ = 81"),
        ("(a + b)^{2}", "(a + b)²"),
        ("2^{32} addresses", "2³² addresses"),
        ("10^{n} steps", "10ⁿ steps"),
        ("e^{2x}", "e^(2x)"),
        ("x^{k}y", "x^(k)y"),
        ("CO_{2}", "CO₂"),
        ("H_{2}O and SO_{4}^{2−}", "H₂O and SO₄²⁻"),
        ("Ca^{2+}", "Ca²⁺"),
        ("^{14}C dating", "¹⁴C dating"),
        ("V_{max} is 5", "V_max is 5"),
        ("x_{i+1}", "x_(i+1)"),
        ("x_{1}^{2}", "x₁²"),
        ("R^{2} = 0.9", "R² = 0.9"),
        ("30 kilometres^{2}", "30 kilometres²"),
        ("W/(m^{2}·K) and kg/m^{3}", "W/(m²·K) and kg/m³"),
    ] {
        assert_eq!(written(given), wanted, "{given}");
    }
}

#[test]
fn marks_of_footnotes_are_left_out_and_never_part_of_a_number() {
    for (given, wanted) in [
        ("the yield reached 82^{3} kilograms", "the yield reached 82 kilograms"),
        ("82^{3}kilograms", "82 kilograms"),
        ("in 2019.^{4} Then", "in 2019. Then"),
        ("cooperative^{12} grows", "cooperative grows"),
        ("the USA^{1} and", "the USA and"),
        ("12.5^{a}", "12.5"),
        ("12.5^{*}", "12.5"),
        ("5 %^{2}", "5 %"),
        ("word^{[3]}, word^{1,2}, word^{3–5}", "word, word, word"),
        ("^{1} Measured in 2019.", " Measured in 2019."),
        ("^{1}Measured", "Measured"),
        ("(see the table above)^{2}", "(see the table above)"),
        ("82³ kilograms", "82 kilograms"),
    ] {
        assert_eq!(written(given), wanted, "{given}");
    }
}

#[test]
fn ordinals_fractions_degrees_and_prices_are_read_as_they_are_meant() {
    for (given, wanted) in [
        ("the 21^{st} century", "the 21st century"),
        ("M^{me} Curie, N^{o} 5", "Mme Curie, No 5"),
        ("38 ^{o}C and 38^{o}C and 38^{0} C", "38 °C and 38°C and 38° C"),
        ("1^{1}/_{2} cups", "1½ cups"),
        ("1½ cups and ¾", "1½ cups and ¾"),
        ("2^{1}⁄_{7} cups", "2 1/7 cups"),
        ("1^{1/2} cups, x^{1/2}", "1½ cups, x^(1/2)"),
        ("$19^{99} only", "$19.99 only"),
        ("19,^{99} €", "19,99 €"),
        ("um 14^{30} Uhr", "um 14:30 Uhr"),
        ("Galley^{TM}", "Galley™"),
    ] {
        assert_eq!(written(given), wanted, "{given}");
    }
}

#[test]
fn what_was_written_once_is_written_the_same_again() {
    for text in ["4 × 10⁶ cells on 25 m²", "SO₄²⁻", "¹⁴C dating", "3⁴ = 81", "1½", "x^(2n)", "10ⁿ"] {
        assert_eq!(plain(text), text);
    }
    assert_eq!(plain("no scripts"), Cow::Borrowed("no scripts"));
}
