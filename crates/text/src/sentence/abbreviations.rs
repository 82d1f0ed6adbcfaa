//! What is known about words before and after a full stop. Data; all words in lower case, without the last stop.

use std::{collections::HashMap, sync::LazyLock};

/// How a stop behind an abbreviation reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Always goes on: `e.g.`
    NeverEnds,
    /// Goes on when a number follows: `No. 5`, `Jan. 3`.
    BeforeNumber,
    /// Goes on unless a typical first word of a sentence follows: `Dr.`, `Inc.`
    MayEnd,
    /// Ends the sentence when a capital follows: `etc.`
    OftenEnds,
}

const NEVER: &str =
    "e.g eg i.e ie vs v cf viz z.b d.h bzw vgl sog p.ex c.-à-d т.е т.к т.н π.χ δηλ p.ej es.gr тобто т.зв";

const BEFORE_NUMBER: &str = "no nos nr fig figs vol vols pp p pg sec ch chap art arts eq eqs ver tab pt pts para §
    abs kap abb bd s seite n num núm pág págs cap caps lib ed tav t стр рис табл гл п пп ст вып вип мал рік арк σελ εικ αρ τόμ
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
    jän märz okt dez janv févr avr juil déc ene abr ago dic gen mag giu lug set ott fev abr mai out dez
    янв февр мар апр июн июл авг сент окт нояб дек c ca circa";

const MAY_END: &str =
    "u.a o.ä ee uu es dr mr mrs ms mx prof st sr sra srta jr gen sen rep gov capt cmdr lt col sgt maj rev hon pres mt ft
    messrs mme mlle hr frl fr dipl ing mag dott avv sig sigg  arch dña d.ª exmo
    inc corp ltd co llc plc bros assn dept univ est approx appr incl excl misc max min avg tel ext ave blvd rd
    al ed eds trans repr ph.d ph m.d b.a m.a b.sc m.sc
    inkl exkl ggf evtl zzgl mio mrd tsd std sek str hrsg geb gest bspw jh jhd jhdt allg bes ehem urspr usf dgl entspr
    env boul av ste éd chap auj
    aprox ud uds vd vds pza avda dpto izq dcha
    им ул пр просп пл г гг обл р руб коп тыс млн млрд проф акад доц см ср напр ред изд чел мин сек вул м буд див грн
    κ κα αγ οδ βλ λ.χ";

const OFTEN_END: &str = "etc usw u.s.w ff ss ecc т.д т.п др пр.о та.ін κ.λπ κλπ κ.ά";

/// Words that begin sentences and hardly ever continue a name.
const STARTERS: &str = "the this that these those it its he she they we you his her their our my your there here
    in on at by for from with as if when while where after before since because although though however but and or so
    yet nor what who how why which many most some all each every both other others another one two several
    such also then thus therefore moreover meanwhile instead today now once until unlike despite according during
    a an i to is are was were do does did has have had can could will would should may
    der die das den dem des ein eine einer einem er sie es wir ihr im am auf aus bei mit nach von zu zum zur wenn als
    aber und oder doch auch dies diese dieser dieses dabei dann damit daher jedoch seit bis für über unter nicht man
    le la les un une il elle ils elles nous vous on ce cette ces cela dans en par pour sur avec mais et ou donc si
    el los las una uno él ella ellos este esta estos estas eso con por para pero y o se lo al del como cuando también
    lo gli i uno è nel nella con per ma e che questo questa quando anche
    o os as um uma ele ela eles no na nos nas com mas isso este quando também
    het een de hij zij ze wij we dit deze maar en of ook
    это этот эта эти он она оно они мы вы я в на но и а по для как при с к из от за до у о об не что если когда так
    также однако поэтому после
    це цей ця ці він вона воно вони ми ви й та у із від з що якщо коли також однак після
    ο η το οι τα αυτό αυτή αυτός στο στη στην από για με και αλλά όταν αν σε ένας μια ένα";

/// Nouns that a German ordinal (`3. Oktober`) stands before.
const ORDINAL_NOUNS: &str = "januar jänner februar märz april mai juni juli august september oktober november dezember
    jahrhundert jahrhunderts jahrhunderten auflage klasse platz kapitel stock etage tag tage woche monat jahr lebensjahr
    weltkrieg armee liga bundesliga runde teil mal semester geburtstag jahrestag januari februari juli augustus";

static HABITS: LazyLock<HashMap<&str, Habit>> = LazyLock::new(|| {
    // Later lists win over earlier ones, so the most careful comes last.
    let lists = [
        (OFTEN_END, Habit::OftenEnds),
        (MAY_END, Habit::MayEnd),
        (BEFORE_NUMBER, Habit::BeforeNumber),
        (NEVER, Habit::NeverEnds),
    ];
    lists.iter().flat_map(|(words, habit)| words.split_whitespace().map(|w| (w, *habit))).collect()
});

static AFTER_STOP: LazyLock<HashMap<&str, bool>> = LazyLock::new(|| {
    let starters = STARTERS.split_whitespace().map(|w| (w, true));
    starters.chain(ORDINAL_NOUNS.split_whitespace().map(|w| (w, false))).collect()
});

/// What is known about `token`, given without its last stop.
pub(super) fn habit(token: &str) -> Option<Habit> {
    // A capital alone is an initial (`S. Rushdie`), whatever the letter abbreviates in lower case.
    let mut chars = token.chars();
    if chars.next().is_some_and(char::is_uppercase) && chars.next().is_none() {
        return None;
    }
    HABITS.get(token.to_lowercase().as_str()).copied()
}

pub(super) fn is_starter(word: &str) -> bool {
    AFTER_STOP.get(word.to_lowercase().as_str()) == Some(&true)
}

pub(super) fn is_ordinal_noun(word: &str) -> bool {
    AFTER_STOP.get(word.to_lowercase().as_str()) == Some(&false)
}

/// German words that an ordinal (`der 1. Preis`) stands behind and that end no English sentence.
pub(super) fn is_ordinal_article(word: &str) -> bool {
    matches!(
        word.to_lowercase().as_str(),
        "der" | "das" | "dem" | "den" | "des" | "im" | "vom" | "zum" | "zur" | "beim"
    )
}
