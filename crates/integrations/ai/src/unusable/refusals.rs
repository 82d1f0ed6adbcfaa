//! Sentences in which a model speaks of itself and declines, in the languages that Galley knows and the next most spoken.

/// How one language declines. All in lower case, with straight apostrophes and single spaces; `…` stands for up to eight
/// words.
struct Declining {
    /// The model about itself: enough alone.
    selves: &'static str,
    /// How it begins to decline; with an inability behind it, enough.
    openings: &'static str,
    /// `I cannot`.
    unable: &'static str,
    /// What it cannot: with an inability, enough.
    tasks: &'static str,
    /// Phrases of ordinary prose that hold an inability.
    idioms: &'static str,
}

static LANGUAGES: [Declining; 7] = [
    Declining {
        selves: "as an ai … i, as an ai … i'm, as an ai … my, as a language model … i, as a large language model … i, i am an \
            ai, i'm an ai, i am a language model, i'm a language model, i am a large language model, i'm just an ai, my \
            programming, my training data, my knowledge cutoff",
        openings: "i'm sorry, i am sorry, sorry, i apologize, i apologise, my apologies, unfortunately, i'm afraid, i regret, \
            as an ai, as a language model",
        unable: "i cannot, i can't, i can not, i'm unable, i am unable, i'm not able, i am not able, i won't, i will not, i \
            must decline, i have to decline, i need to decline, i decline, i must refuse, i'm not comfortable, i am not \
            comfortable, i don't feel comfortable, i do not have access, i don't have access, i couldn't, i could not, i'm \
            not allowed, i am not allowed, i don't have enough, i do not have enough, i don't have the, i do not have the",
        tasks: "help with, help you, assist, write, provide, fulfil, fulfill, continue, create, generate, comply, answer, \
            produce, complete, share, do that, do this, discuss, respond, request, content, proceed, access, information, \
            excerpts, article, section",
        idioms: "help but, help it, write home",
    },
    Declining {
        selves: "als ki … ich, als eine ki … ich, als künstliche intelligenz … ich, als sprachmodell … ich, als ein \
            sprachmodell … ich, ich bin eine ki, ich bin ein sprachmodell, ich bin nur ein sprachmodell",
        openings: "es tut mir leid, tut mir leid, entschuldigung, ich entschuldige mich, leider, ich bedaure, ich bedauere, \
            verzeihung",
        unable: "ich kann … nicht, ich kann … kein, ich kann … keine, ich kann … keinen, kann ich … nicht, kann ich … kein, \
            kann ich … keine, kann ich … keinen, ich darf … nicht, ich darf … keine, ich darf … keinen, darf ich … nicht, \
            ich bin nicht in der lage, bin ich nicht in der lage, ich bin … nicht in der lage, ich muss … ablehnen, muss \
            ich … ablehnen, ich werde … nicht, ich möchte … nicht, ich habe keinen zugriff, ich habe keine, ich habe … \
            nicht genug",
        tasks: "helfen, weiterhelfen, schreiben, verfassen, erstellen, beantworten, erfüllen, bereitstellen, unterstützen, \
            fortfahren, fortsetzen, anfrage, inhalt, inhalte, zugriff, liefern, nachkommen, ablehnen, informationen, \
            auszüge, abschnitt, artikel",
        idioms: "umhin",
    },
    Declining {
        selves: "en tant qu'ia … je, en tant qu'intelligence artificielle … je, en tant que modèle de langage … je, en tant \
            que modèle de langue … je, je suis une ia, je suis un modèle de langage, je suis un modèle de langue",
        openings: "je suis désolé, je suis désolée, désolé, désolée, je m'excuse, je vous prie de m'excuser, malheureusement, \
            je regrette, toutes mes excuses",
        unable: "je ne peux, je ne peux pas, je ne suis pas en mesure, je ne suis pas capable, je ne suis pas autorisé, je \
            dois refuser, je dois décliner, je refuse, il m'est impossible, je ne pourrai pas, je n'ai pas accès, je n'ai \
            pas les, je n'ai pas assez, je ne dispose pas",
        tasks: "aider, vous aider, t'aider, assister, écrire, rédiger, fournir, créer, générer, répondre, produire, \
            continuer, poursuivre, demande, contenu, accès, satisfaire, informations, d'informations, extraits, section, \
            article",
        idioms: "m'empêcher",
    },
    Declining {
        selves: "soy una ia, soy un modelo de lenguaje, como ia … no puedo, como inteligencia artificial … no puedo, como \
            modelo de lenguaje … no, como un modelo de lenguaje … no",
        openings: "lo siento, lo lamento, perdón, disculpa, disculpe, lamentablemente, desafortunadamente, me disculpo, como \
            ia, como modelo de lenguaje",
        unable: "no puedo, no me es posible, no soy capaz, no estoy en condiciones, no estoy autorizado, no podré, debo \
            rechazar, debo declinar, tengo que rechazar, no tengo acceso, no dispongo de, no tengo la información",
        tasks: "ayudar, ayudarte, ayudarle, asistir, escribir, redactar, proporcionar, crear, generar, responder, producir, \
            continuar, cumplir, solicitud, petición, contenido, acceso, información, extractos, sección, artículo",
        idioms: "evitar",
    },
    Declining {
        selves: "sono un'ia, sono un modello linguistico, come ia … non posso, come intelligenza artificiale … non posso, \
            come modello linguistico … non, in quanto modello linguistico … non, in quanto ia … non",
        openings: "mi dispiace, mi spiace, scusa, scusi, mi scuso, purtroppo, sono spiacente, come modello linguistico",
        unable: "non posso, non sono in grado, non mi è possibile, non sono autorizzato, non potrò, devo rifiutare, devo \
            declinare, non ho accesso, non dispongo",
        tasks: "aiutare, aiutarti, aiutarla, assistere, scrivere, redigere, fornire, creare, generare, rispondere, produrre, \
            continuare, soddisfare, richiesta, contenuto, contenuti, accesso, informazioni, estratti, sezione, articolo",
        idioms: "fare a meno",
    },
    Declining {
        selves: "sou uma ia, sou um modelo de linguagem, como ia … não posso, como inteligência artificial … não posso, como \
            modelo de linguagem … não, como um modelo de linguagem … não, como uma ia … não",
        openings: "desculpe, desculpa, sinto muito, lamento, peço desculpas, peço desculpa, infelizmente, como modelo de \
            linguagem",
        unable: "não posso, não consigo, não sou capaz, não me é possível, não estou autorizado, não poderei, devo recusar, \
            tenho de recusar, tenho que recusar, não tenho acesso, não disponho",
        tasks: "ajudar, ajudá-lo, auxiliar, escrever, redigir, fornecer, criar, gerar, responder, produzir, continuar, \
            atender, pedido, solicitação, conteúdo, acesso, informações, trechos, seção, secção, artigo",
        idioms: "deixar de",
    },
    Declining {
        selves: "я языковая модель, я искусственный интеллект, я - ии, я — ии, я — языковая модель, как языковая модель … я, \
            как ии … я, как искусственный интеллект … я, будучи языковой моделью",
        openings: "извините, простите, прошу прощения, к сожалению, мне жаль, сожалею, приношу извинения, мне очень жаль",
        unable: "не могу, не смогу, я не в состоянии, вынужден отказать, вынужден отклонить, я не имею права, у меня нет \
            доступа, мне нельзя, у меня нет возможности, у меня недостаточно",
        tasks: "помочь, помогать, написать, писать, предоставить, создать, создавать, ответить, отвечать, выполнить, \
            продолжить, продолжать, запрос, содержание, доступ, доступа, сгенерировать, информации, информацию, раздел, \
            статью",
        idioms: "не заметить, не отметить",
    },
];

/// Writing without spaces, in which a phrase is enough.
const WITHOUT_SPACES: [&str; 15] = [
    "作为一个ai",
    "作为ai",
    "作为一个人工智能",
    "作为人工智能",
    "作为一个语言模型",
    "作为语言模型",
    "抱歉，我无法",
    "抱歉，但我无法",
    "抱歉，我不能",
    "对不起，我无法",
    "对不起，我不能",
    "我无法提供",
    "申し訳ありませんが",
    "言語モデルとして",
    "죄송하지만",
];

/// No sentence of prose is longer, in bytes.
const LOOKED_AT: usize = 2_000;
/// So many words may stand for a `…`.
const BETWEEN: usize = 8;

/// Whether a model declines or speaks of itself in this sentence. What stands in quotation marks was said by others.
pub(super) fn refuses(sentence: &str) -> bool {
    let plain = plain(&sentence[..sentence.floor_char_boundary(LOOKED_AT)]);
    if WITHOUT_SPACES.iter().any(|phrase| plain.contains(phrase)) {
        return true;
    }
    let text = format!(" {plain}");
    LANGUAGES.iter().any(|language| language.refuses(&text))
}

impl Declining {
    fn refuses(&self, text: &str) -> bool {
        if has(text, self.selves) {
            return true;
        }
        if !has(text, self.unable) || has(text, self.idioms) {
            return false;
        }
        phrases(self.openings).any(|phrase| text[1..].starts_with(phrase)) || has(text, self.tasks)
    }
}

fn phrases(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(", ")
}

/// Whether one of the phrases stands in the text, as whole words. `text` starts with a space.
fn has(text: &str, list: &'static str) -> bool {
    phrases(list).any(|phrase| behind(text, phrase).is_some())
}

/// What stands behind a phrase, where the text has it.
fn behind<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    let Some((first, second)) = phrase.split_once(" … ") else {
        return text.match_indices(phrase).find_map(|(at, found)| {
            let rest = &text[at + found.len()..];
            (text[..at].ends_with(' ') && ends_word(rest)).then_some(rest)
        });
    };
    let rest = behind(text, first)?;
    let near: usize = rest.split_inclusive(' ').take(BETWEEN + 2).map(str::len).sum();
    behind(&rest[..near], second)
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_alphanumeric())
}

/// In lower case, without quotations and Markdown, with straight apostrophes, single spaces, and no marks but apostrophes.
fn plain(sentence: &str) -> String {
    let mut out = String::new();
    let mut close = None;
    for c in sentence.chars() {
        match (close, c) {
            (Some(end), c) if c == end || end == '“' && c == '”' => close = None,
            (Some(_), _) => {}
            (None, '"') => close = Some('"'),
            (None, '“') => close = Some('”'),
            (None, '„') => close = Some('“'),
            (None, '«') => close = Some('»'),
            (None, '’' | '‘' | 'ʼ' | '`') => out.push('\''),
            (None, '，') => out.push('，'),
            (None, c) if c.is_alphanumeric() || matches!(c, '\'' | '-' | '—') => out.extend(c.to_lowercase()),
            (None, _) => out.push(' '),
        }
    }
    if close.is_some() {
        // a quotation mark that is never closed quotes nothing
        return plain(&sentence.replace(['"', '“', '„', '«'], " "));
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
