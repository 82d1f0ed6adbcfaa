//! Sentences that only the model's task explains: remarks on the excerpts, and a tail in another script.

use galley_text::sentence;

use super::{Expected, is_other_script, primary};

/// What our prompts call the material. An article whose sources do not use the word has no reason to.
const MATERIAL: [&str; 6] = ["excerpt", "excerpts", "textauszug", "textauszüge", "auszüge", "auszügen"];
/// How a sentence begins that leans on the material and then says something.
const LEANS: [&str; 8] =
    ["based on", "according to", "as per", "from", "in", "as stated in", "as mentioned in", "as described in"];
/// A lead is no longer than this, in bytes.
const LONGEST_LEAD: usize = 60;
/// Shorter ones are names.
const LETTERS: usize = 6;

impl Expected<'_> {
    /// Without such sentences, as long as they are the smaller part.
    pub(crate) fn without_remarks(&self, paragraphs: Vec<String>) -> Vec<String> {
        let letters = |texts: &[String]| {
            texts.iter().map(|text| text.chars().filter(|c| c.is_alphabetic()).count()).sum::<usize>()
        };
        let kept: Vec<String> =
            paragraphs.iter().map(|paragraph| self.kept(paragraph)).filter(|kept| !kept.is_empty()).collect();
        if letters(&kept) * 2 > letters(&paragraphs) { kept } else { paragraphs }
    }

    /// Whether a sentence speaks of the material where no source does.
    pub(super) fn remarks(&self, text: &str) -> bool {
        !self.sources_say_excerpt && speaks_of_material(text)
    }

    fn kept(&self, paragraph: &str) -> String {
        let (mark, body) = paragraph.strip_prefix("- ").map_or(("", paragraph), |body| ("- ", body));
        let sentences: Vec<String> =
            sentence::split(body).into_iter().filter_map(|range| self.sentence(&body[range])).collect();
        if sentences.is_empty() { String::new() } else { format!("{mark}{}", sentences.join(" ")) }
    }

    fn sentence(&self, text: &str) -> Option<String> {
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if letters >= LETTERS && is_other_script(text, primary(self.language)) {
            return None;
        }
        if !self.remarks(text) {
            return Some(text.trim().to_owned());
        }
        let said = without_lead(text)?;
        (!speaks_of_material(&said)).then_some(said)
    }
}

pub(super) fn speaks_of_material(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| MATERIAL.contains(&word.to_lowercase().as_str()))
}

/// `Based on the excerpts, the beds are dug.` says that the beds are dug.
fn without_lead(text: &str) -> Option<String> {
    let (lead, said) = text.trim().split_once(", ")?;
    let lower = lead.to_lowercase();
    let leans = lead.len() <= LONGEST_LEAD && LEANS.iter().any(|lean| lower.starts_with(&format!("{lean} the ")));
    let mut signs = said.chars();
    let first = signs.next().filter(|_| leans)?;
    Some(first.to_uppercase().chain(signs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(source: &str, paragraphs: &[&str]) -> Vec<String> {
        let expected = Expected::new("en", "", "", std::iter::once(source));
        expected.without_remarks(paragraphs.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn what_only_the_task_explains_goes() {
        let long = "The beds are dug in March, and the beans are sown in May.";
        for (text, left) in [
            ("The excerpts do not mention a price. The beds are dug.", "The beds are dug."),
            ("Based on the excerpts, the beds are dug.", "The beds are dug."),
            ("According to the provided excerpts, beans need sun.", "Beans need sun."),
            ("The beds are dug. 这是中文的结尾，不应该出现。", "The beds are dug."),
            ("- The beds are dug. See the excerpt.", "- The beds are dug."),
            ("In Riga, Œuvre and Ærø are names.", "In Riga, Œuvre and Ærø are names."),
        ] {
            assert_eq!(kept("A source.", &[long, text]), [long, left], "{text}");
        }
        assert_eq!(kept("A source.", &[long, "这是中文的结尾，不应该出现在文章里。"]), [long]);
    }

    #[test]
    fn it_stays_where_sources_speak_so_and_where_it_is_most_of_the_answer() {
        let long = "The beds are dug in March, and the beans are sown in May.";
        let said = "The excerpt from the diary names the beds.";
        assert_eq!(kept("An excerpt from a diary.", &[long, said]), [long, said]);
        let other = "这是中文的结尾，不应该出现在文章里。这是中文的结尾，不应该出现在文章里。";
        assert_eq!(kept("A source.", &["Beds.", other]), ["Beds.", other], "the judge sees it as it is");
        let echo = "Write in English. Use only what the excerpts say, and state no facts of your own.".to_owned();
        let expected = Expected::new("en", "", "", std::iter::once("A source."));
        let judged = expected.judge(&expected.without_remarks(vec![echo]));
        assert_eq!(judged, Some(galley_domain::writing::Unusable::Prompt));
    }
}
