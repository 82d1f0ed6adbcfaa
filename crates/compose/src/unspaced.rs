//! Which sentences of Chinese, Japanese and Thai may stand in an article. Words cannot be told apart there, so beginnings and
//! parts are looked for as they are written.

use galley_text::word;

use crate::usable::Standing;

/// Letters of a sentence that says enough to stand alone and is readable.
const LETTERS: std::ops::RangeInclusive<usize> = 8..=180;
/// Beginnings that refer to what stands before.
const BACKWARDS: &[&str] = &[
    "这",
    "那",
    "它",
    "他",
    "她",
    "其",
    "此",
    "该",
    "因此",
    "所以",
    "但",
    "然而",
    "而",
    "另外",
    "同时",
    "不过",
    "并且",
    "于是",
    "例如",
    "比如",
    "上述",
    "如上",
    "由此",
    "之后",
    "然后",
    "接着",
    "最后",
    "与此",
    "也",
    "還",
    "還有",
    "還是",
    "還要",
    "這",
    "因為",
    "所以",
    "これ",
    "それ",
    "その",
    "この",
    "あの",
    "そして",
    "しかし",
    "また",
    "だから",
    "したがって",
    "例えば",
    "たとえば",
    "さらに",
    "そこで",
    "ただし",
    "つまり",
    "なお",
    "一方",
    "彼",
    "同様",
    "こう",
    "そう",
    "ここ",
    "そこ",
    "けれど",
    "でも",
    "แต่",
    "และ",
    "ดังนั้น",
    "นอกจาก",
    "อย่างไรก็ตาม",
    "เช่น",
    "มัน",
    "เขา",
    "เธอ",
    "นี้",
    "นั้น",
    "นั่น",
    "ซึ่ง",
    "โดยที่",
    "จึง",
    "แล้ว",
    "หลังจากนั้น",
    "พวกเขา",
    "สิ่งนี้",
    "ที่นั่น",
];
/// The writer speaking of himself, requests, and what belongs to a page and not to its text.
const REFUSED: &[&str] = &[
    "我",
    "咱们",
    "您",
    "本文",
    "点击",
    "點擊",
    "订阅",
    "訂閱",
    "版权所有",
    "版權所有",
    "登录",
    "登入",
    "注册",
    "隐私政策",
    "如下",
    "见图",
    "见表",
    "下图",
    "下表",
    "上图",
    "上表",
    "私たち",
    "私は",
    "弊社",
    "当社",
    "当サイト",
    "クリック",
    "購読",
    "ログイン",
    "ください",
    "次の通り",
    "以下の",
    "次の図",
    "下の図",
    "上の図",
    "図1",
    "図2",
    "図3",
    "図１",
    "図２",
    "図３",
    "เราจะ",
    "พวกเรา",
    "ของเรา",
    "ฉัน",
    "คลิก",
    "เข้าสู่ระบบ",
    "ดังนี้",
    "สงวนลิขสิทธิ์",
];
/// Of what somebody says, these alone.
const REFUSED_IN_SPEECH: &[&str] = &["点击", "點擊", "版权所有", "クリック", "ログイン", "คลิก", "เข้าสู่ระบบ"];
const REQUESTS: &[&str] = &["请", "請", "โปรด", "กรุณา", "สมัครสมาชิก"];
/// Words that only look like the writer speaking of himself.
const NOT_REFUSED: &[&str] = &["自我"];

/// Whether the sentence may be used, and how it stands; `None`: not at all.
pub(crate) fn judge(sentence: &str, is_speech: bool) -> Option<Standing> {
    let bare = sentence.trim_start_matches(['「', '『', '《', '“', '（', '"', ' ', '\u{3000}']);
    let letters = sentence.chars().filter(|c| c.is_alphabetic()).count();
    let plain = NOT_REFUSED.iter().fold(sentence.to_owned(), |text, words| text.replace(words, ""));
    let refused = if is_speech { REFUSED_IN_SPEECH } else { REFUSED };
    let is_unusable = !LETTERS.contains(&letters)
        || sentence.contains(['？', '?', '！', '!'])
        || refused.iter().any(|words| plain.contains(words))
        || REQUESTS.iter().any(|words| bare.starts_with(words));
    if is_unusable {
        return None;
    }
    let hangs = BACKWARDS.iter().any(|words| bare.starts_with(words));
    Some(if hangs { Standing::Hangs } else { Standing::Free })
}

/// A text whose sentences end without a stop, or with a figure: a year, an amount.
pub(crate) fn ends_without_stop(sentence: &str) -> bool {
    let is_stopless = |c: char| {
        word::is_of_unspaced_script(c)
            && (('\u{e00}'..'\u{1100}').contains(&c) || ('\u{1780}'..='\u{17ff}').contains(&c))
    };
    let figure = |c: char| c.is_ascii_digit() || c == '%';
    let bare = sentence.trim_end_matches(figure);
    match bare.chars().next_back() {
        Some(' ') if bare.len() < sentence.len() => bare.contains(is_stopless),
        last => last.is_some_and(is_stopless),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        snapshot::sentences,
        testing::source,
        usable::{Standing, judge},
    };

    #[test]
    fn statements_stand_and_what_refers_back_hangs() {
        for (sentence, expected) in [
            ("每袋咖啡重六十公斤，价格是一百二十美元。", Some(Standing::Free)),
            ("社员们在十月到一月之间用手采摘成熟的咖啡果。", Some(Standing::Free)),
            ("因此合作社每年要买新的咖啡树苗。", Some(Standing::Hangs)),
            ("它们在太阳下晒两个星期以后装袋。", Some(Standing::Hangs)),
            ("咖啡什么时候采摘最好？", None),
            ("请点击这里阅读全文内容。", None),
            ("我们每年出售五百吨咖啡。", None),
            ("很好。", None),
            ("自我管理的合作社每年出售五百吨咖啡。", Some(Standing::Free)),
            ("図書館は月曜日に休みで、火曜日から開きます。", Some(Standing::Free)),
            ("次の図は図書館の利用者の数を示しています。", None),
            ("ค่าสมัครสมาชิกปีละ 50 บาท นักเรียนไม่เสียค่าสมัคร", Some(Standing::Free)),
            ("สมัครสมาชิกวันนี้เพื่อรับข่าวสารทุกวัน", None),
            ("ปีที่แล้วมีผู้ใช้บริการห้องสมุด 68,000 คน", Some(Standing::Free)),
            ("ตลาดห้ามใช้ถุงพลาสติกตั้งแต่เดือนมกราคม 2567", Some(Standing::Free)),
            ("コーヒー一袋の重さは六十キロで、価格は百二十ドルです。", Some(Standing::Free)),
            ("しかし、収穫は十月まで始まりませんでした。", Some(Standing::Hangs)),
            ("詳しくはこちらをクリックしてください。", None),
            ("กาแฟหนึ่งกระสอบหนักหกสิบกิโลกรัมและขายที่ท่าเรือ", Some(Standing::Free)),
            ("ดังนั้นสหกรณ์จึงซื้อต้นกล้าใหม่ทุกปี", Some(Standing::Hangs)),
        ] {
            assert_eq!(judge(sentence, None), expected, "{sentence}");
        }
    }

    #[test]
    fn a_paragraph_gives_what_is_usable_of_it() {
        let text = "# 合作社手册\n\n每袋咖啡重六十公斤，价格是一百二十美元。咖啡什么时候采摘最好？社员们在十月到一月之间用手采摘成熟的咖啡果。\
                    因此每一行要采摘四次以上才行。";
        let found: Vec<_> = sentences(&source(1, "zh", text)).into_iter().map(|s| (s.position, s.hangs)).collect();
        assert_eq!(found, [(0, false), (2, false), (3, true)]);
    }
}
