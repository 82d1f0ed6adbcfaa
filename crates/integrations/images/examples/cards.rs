//! Draws a sheet of cards to look at, each several times to see how long it takes:
//! `cargo run --release -p galley-images --example cards -- FOLDER`.

use std::time::Instant;

use galley_images::{Card, render_card};

const RUNS: usize = 51;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    std::fs::create_dir_all(&folder)?;
    let long = "How a small roastery cooperative in the hills buys, stores, roasts, packs and ships its coffee: every step \
                from the cherry to the cup, with the figures of the last harvest, what went wrong with the drying beds, \
                what the members decided about prices, and how a careful reader may brew the result at home, slowly";
    let word = "x".repeat(120);
    let cards = [
        ("short", "Coffee", Some("Galley"), "en"),
        ("usual", "How to brew better pour-over coffee at home", Some("Harrow Vale Coffee Cooperative"), "en"),
        ("plain", "What the harvest of 2025 taught the cooperative about drying beds", None, "en"),
        ("long", long, Some("Harrow Vale Coffee Cooperative"), "en"),
        ("cyrillic", "Как заварить фильтр-кофе дома: десять советов от обжарщиков", Some("Кофейный кооператив"), "ru"),
        ("greek", "Πώς να φτιάξετε καλύτερο καφέ φίλτρου στο σπίτι", Some("Συνεταιρισμός καφέ"), "el"),
        ("word", word.as_str(), Some("one long word"), "en"),
        ("german", "Donaudampfschifffahrtsgesellschaftskapitänsmütze und andere Wörter", Some("Wörterbuch"), "de"),
        ("emoji", "☕ Coffee 👩‍💻 for 日本語 readers", Some("☕ Galley"), "en"),
        ("none", "日本語のタイトル", None, "ja"),
        ("vietnamese", "Cà phê sữa đá: hướng dẫn pha chế cho người mới bắt đầu", Some("Hợp tác xã cà phê"), "vi"),
        (
            "middle",
            "Water temperature, grind size and brew time: which of the three matters most, and how to find out with two kettles and a kitchen scale",
            Some("Brew guide"),
            "en",
        ),
    ];
    for (index, (name, title, subtitle, language)) in cards.into_iter().enumerate() {
        let card = Card {
            title: title.into(),
            subtitle: subtitle.map(Into::into),
            language: language.into(),
            seed: index as u64 * 11,
        };
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = Instant::now();
            render_card(&card)?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let ms = |at: usize| times[at].as_secs_f64() * 1e3;
        let done = render_card(&card)?;
        println!(
            "{name}: {} KB, {:.1} ms (median of {RUNS}; {:.1} to {:.1}), {:?}",
            done.png.len() / 1024,
            ms(RUNS / 2),
            ms(0),
            ms(RUNS - 1),
            done.warnings
        );
        std::fs::write(format!("{folder}/{name}.png"), done.png)?;
    }
    Ok(())
}
