//! Words of an order that are about the form of the text and not about its subject, and words so general that their
//! presence says nothing. Data: in lower case; any inflection counts.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use galley_text::word;

use crate::lexicon;

const EN: &str = "
    write written writing rewrite article blog blogpost post text guide essay piece report overview summary summarise
    summarize word sentence paragraph section heading headline subheading title subtitle introduction introductory intro
    conclusion conclude outline list bullet bulleted bulletpoint checklist faq step stepwise tip trick example
    reader audience beginner starter novice newcomer expert layperson laymen layman general public tone style
    voice friendly formal informal casual academic conversational neutral factual objective clear simple plain
    concise short long brief detailed detail depth comprehensive complete thorough engaging entertaining informative
    practical useful helpful easy accessible understandable readable structured structure organized organised
    optimized optimised optimize seo keyword keyphrase source sourced file attached attachment document upload uploaded
    link reference citation cite fact provided given based following please include including mention cover covering
    explain explanation describe description discuss discussion show tell give provide avoid make add end start begin call
    action language english german french spanish italian portuguese russian important importance key main basic
    everything thing something know knowledge need want get help good best better great new different various way topic
    subject content information question answer ask focus focused aim aimed target aspect point part minute publish
    website page newsletter linkedin professional create draft compose produce generate prepare present review explore
    introduce tutorial explainer whitepaper primer story column feature handbook deep dive ultimate essential
    approximately roughly maximum minimum least sound keep use using used work works working go look take put let
    thanks hello dear would like could interesting really first second third last finally order format markdown html
    version kind type sort lot many several number people everyone someone reason own today possible";

const DE: &str = "
    schreiben schreib schreibe schreibt verfassen verfasse erstellen erstelle artikel beitrag blogbeitrag blogartikel
    blog blogpost text fachartikel fachtext ratgeber leitfaden aufsatz bericht anleitung wort worte wörter wörtern satz
    sätze sätzen absatz absätze absätzen abschnitt abschnitte abschnitten überschrift überschriften zwischenüberschrift
    zwischenüberschriften titel einleitung einleitend einführung fazit schluss zusammenfassung zusammenfassen fasse
    überblick übersicht gliederung gliedern gegliedert liste listen aufzählung checkliste schritt schritte tipp tipps
    trick tricks beispiel beispiele beispielen leser leserin leserinnen lesern zielgruppe publikum einsteiger anfänger
    neuling neulinge laie laien experte experten fachleute ton tonfall tonalität stil freundlich sachlich förmlich locker
    lockeren neutral klar einfach einfache einfacher verständlich kurz lang länge ausführlich informativ praktisch
    praktische nützlich hilfreich professionell umfassend detailliert leicht lesbar strukturiert struktur optimiert seo
    keyword keywords schlüsselwort suchbegriff quelle quellen datei dateien dokument dokumente anhang angehängt
    angehängten beigefügt beigefügten hochgeladen hochgeladenen grundlage basis bitte erklären erkläre erklärt
    erklärung beschreiben beschreibe beschreibung erläutern erläutere zeigen zeige nennen nenne erwähnen erwähne
    vermeiden vermeide verwenden verwende nutzen nutze machen mache geben gib gehen gehe achten achte brauchen brauche
    braucht möchte möchten wissen deutsch deutsche deutscher englisch sprache thema themen inhalt inhalte
    information informationen infos frage fragen antwort antworten punkt punkte fokus schwerpunkt aspekt aspekte
    wichtig wichtige wichtigste wichtigsten gut gute guten bester beste besten neu neue neuen verschiedene ganz
    gesamt etwa rund ungefähr circa maximal mindestens höchstens darauf eingehen eingeht insbesondere worauf weshalb
    wieso wann wobei richtig richtige webseite website seite newsletter linkedin allgemein leute menschen jemand grund
    gründe art weise form format darstellen darstellung thematisieren behandeln behandelt alles wissenswertes hallo danke
    zusammen erst erste ersten zweite dritte letzte schließlich heute möglich arbeiten arbeitet funktioniert funktionieren";

const FR: &str = "
    écris écrivez écrire rédige rédigez rédiger rédaction article billet blog guide texte dossier essai rapport mot mots
    phrase paragraphe section titre sous-titre intertitre introduction conclusion conclure résumé résume résumer résumez
    synthèse aperçu plan liste puce puces étape étapes conseil astuce exemple lecteur lectrice public débutant novice
    expert ton style amical formel informel neutre factuel clair claire simple simplement concis court courte long
    longue détaillé détail complet complète informatif pratique utile facile accessible compréhensible structuré
    structure optimisé seo référencement clé clés mot-clé source fichier document joint jointe ci-joint lien référence
    citation cite fourni donné basé suivant plaît merci inclure inclus mentionner mentionne couvrir explique expliquez
    expliquer explication décris décrivez décrire présente présentez présenter montre montrer donner donne donnez éviter
    évite faire fais faites ajoute ajouter terminer termine commencer commence langue français française anglais important
    importance principal principaux essentiel savoir connaître besoin vouloir veux voudrais aide aider bon bonne meilleur
    nouveau nouvelle différent façon manière sujet thème contenu information question réponse point partie minute publier
    site page professionnel créer crée préparer prépare environ maximum minimum utiliser utilise utilisez chose
    gens personne raison aujourd'hui premier deuxième dernier format type sorte tutoriel fonctionne marche";

const ES: &str = "
    escribe escriba escribir redacta redacte redactar artículo entrada post blog guía texto informe ensayo palabra
    frase oración párrafo sección título subtítulo encabezado introducción conclusión concluir resumen resume resumir
    esquema lista viñeta paso consejo truco ejemplo lector lectora público principiante novato experto tono
    estilo amable amigable formal informal neutral claro clara sencillo simple conciso corto corta largo larga breve
    detallado detalle completo completa informativo práctico útil fácil accesible comprensible estructurado estructura
    optimizado seo clave fuente archivo fichero documento adjunto enlace referencia cita citar proporcionado dado basado
    siguiente favor incluir incluye incluya mencionar menciona cubrir explica explique explicar explicación describe
    describa describir presenta presentar mostrar muestra dar evitar evita hacer haz añadir añade terminar termina empezar
    comienza idioma español inglés importante importancia principal esencial saber conocer necesitar necesito querer
    quiero ayuda ayudar bueno buena mejor nuevo nueva diferente manera forma modo tema contenido información
    pregunta respuesta punto parte minuto publicar sitio página web profesional crear crea preparar prepara elabora
    aproximadamente unas máximo mínimo usar usa utilizar utiliza cosa gente persona razón hoy primero segundo último
    formato tipo tutorial funciona";

const IT: &str = "
    scrivi scriva scrivere scritto redigi articolo post blog guida testo saggio rapporto pezzo parola frase paragrafo
    sezione titolo sottotitolo introduzione conclusione concludere riassunto riassumi riassumere sintesi panoramica
    schema elenco lista punto passo passaggio consiglio trucco esempio lettore lettrice pubblico principiante
    principianti esperto tono stile amichevole formale informale neutro chiaro chiara semplice conciso breve corto
    lungo dettagliato dettaglio completo completa informativo pratico utile facile accessibile comprensibile strutturato
    struttura ottimizzato seo chiave fonte fonti file documento allegato allegati collegamento riferimento citazione
    cita fornito dato basato basandoti seguente favore includere includi menzionare menziona coprire spiega spieghi
    spiegare spiegazione descrivi descrivere presenta presentare mostra mostrare dare evita evitare fare aggiungi
    terminare termina iniziare inizia lingua italiano inglese importante importanza principale essenziale sapere
    conoscere bisogno volere voglio vorrei aiuto aiutare buono buona migliore nuovo nuova diverso modo maniera
    argomento tema contenuto informazione domanda risposta parte minuto pubblicare sito pagina professionale crea
    creare prepara preparare elabora circa massimo minimo usa usare utilizza cosa gente persona ragione oggi primo secondo
    ultimo formato tipo tutorial funziona";

const PT: &str = "
    escreva escreve escrever redija redigir artigo post blog guia texto relatório ensaio matéria palavra frase parágrafo
    seção secção título subtítulo introdução conclusão concluir resumo resume resuma resumir visão geral esquema
    lista tópico tópicos passo dica dicas truque exemplo leitor leitora público iniciante iniciantes principiante
    especialista tom estilo amigável formal informal neutro claro clara simples conciso curto curta longo longa breve
    detalhado detalhe completo completa informativo prático útil fácil acessível compreensível estruturado estrutura
    otimizado seo chave fonte ficheiro arquivo documento anexo anexado link referência citação cite fornecido dado
    baseado seguinte favor incluir inclua mencionar mencione cobrir explique explica explicar explicação descreva
    descreve descrever apresente apresentar mostrar mostre dar evitar evite fazer faça adicionar adicione terminar termine
    começar comece língua idioma português inglês importante importância principal essencial saber conhecer precisar
    preciso querer quero gostaria ajuda ajudar bom boa melhor novo nova diferente maneira forma modo tema assunto
    conteúdo informação pergunta resposta ponto parte minuto publicar site página profissional criar crie preparar
    prepare elabore cerca aproximadamente máximo mínimo usar use utilizar utilize coisa gente pessoa razão hoje primeiro
    segundo último formato tipo tutorial funciona";

const RU: &str = "
    напиши напишите написать пиши составь составьте составить создай создайте подготовь подготовьте статья статью статьи
    пост блог текст обзор отчёт отчет руководство эссе заметка заметку гид слово слов слова предложение абзац раздел
    заголовок подзаголовок название введение вступление заключение вывод выводы резюме итог план список пункт чек-лист
    шаг шаги шагов совет советы пример примеры примеров читатель читателей аудитория новичок новичков начинающий
    начинающих эксперт тон стиль стиле дружелюбный дружелюбном официальный нейтральный понятный понятно простой
    простым простыми кратко краткий короткий длинный подробный подробно полный информативный практический полезный
    лёгкий доступный доступно структура оптимизированный сео seo ключевой ключевые источник источники источников файл
    файлов документ документов вложение ссылка цитата факт данный приложенный основа основе следующий пожалуйста включи
    включите упомяни упомяните расскажи расскажите объясни объясните объяснить объяснение опиши опишите описание покажи
    покажите дай дайте избегай сделай сделайте добавь добавьте закончи закончите начни начните язык языке русский
    английский важный важно главный основной знать нужно нужен нужна хочу помочь помощь хороший лучший новый разный
    способ образом тема тему содержание информация вопрос вопросы ответ ответы часть минут сайт страница
    профессиональный примерно около максимум минимум использовать используй используйте вещь люди человек причина сегодня
    первый второй последний формат вид работает работать всё";

/// Pairs of characters in orders for Chinese and Japanese texts that say nothing of the subject.
const UNSPACED: &str = "请写 写一 一篇 篇关 关于 于如 如何 文章 的文 章的 介绍 说明 什么 我们 可以 怎么 一个 一份 撰写 以及 字左 左右 \
    に関 関す する る記 記事 につ つい いて て書 書い てく くだ ださ さい して した です ます ため とは こと もの ある いる から まで \
    ください 場合 方法";

static STEMS: LazyLock<HashMap<&str, HashSet<String>>> = LazyLock::new(|| {
    let lists = [("en", EN), ("de", DE), ("fr", FR), ("es", ES), ("it", IT), ("pt", PT), ("ru", RU)];
    let stems = |code, list: &'static str| {
        let table = lexicon::of(code).map(|language| language.table);
        let more = table.map(|t| [t.instructions, t.text_kinds, t.kind_adjectives]).into_iter().flatten();
        let more = more.flat_map(|list| list.split([',', ' ', '\n']));
        list.split_whitespace().chain(more).filter(|w| !w.is_empty()).map(|w| word::stem(w, code)).collect()
    };
    lists.into_iter().map(|(code, list)| (code, stems(code, list))).collect()
});

static PAIRS: LazyLock<HashSet<&str>> = LazyLock::new(|| UNSPACED.split_whitespace().collect());

/// Whether a word in lower case is about the form of a text.
pub(super) fn is_form(word: &str, language: &str) -> bool {
    STEMS.get(language).is_some_and(|stems| stems.contains(&word::stem(word, language)))
}

pub(super) fn is_unspaced_form(pair: &str) -> bool {
    PAIRS.contains(pair)
}
