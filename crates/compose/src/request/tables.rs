//! The tables of [`super::cues`].

use super::cues::Table;

pub(super) static TABLES: [Table; 7] = [EN, DE, FR, ES, IT, PT, RU];

const EN: Table = Table {
    code: "en",
    cover: "
        covering, including, discussing, explaining, describing, addressing, touching on, talking about, dealing with,
        focusing on, looking at, examining, outlining, answering, sections on, sections about, sections for, section
        on, section about, parts on, paragraphs on, chapters on, headings on, starting with, beginning with, in
        particular, especially, specifically, namely, particularly, emphasis on, attention to, comparing, detailing,
        exploring, reviewing, mentioning",
    verbs: "
        cover, covers, include, includes, discuss, discusses, explain, explains, describe, describes, address,
        addresses, mention, touch on, talk about, deal with, go into, focus on, focuses on, look at, concentrate on,
        examine, outline, answer, say, tell, show, start with, begin with, know, learn, compare, summarise, summarize,
        present, introduce, walk through, list, detail, explore, review, first",
    before: "and, to, should, must, please, also, then, will, it, that, needs, shall, could, would, which, or, readers",
    closing: "",
    avoid: "
        avoid, avoiding, do not, don't, never, without, leave out, leaving out, exclude, excluding, skip, skipping,
        omit, omitting, not mention, no mention of, but not, except, ignore, keep out, should not, must not,
        shouldn't, mustn't, rather than, instead of",
    sequence: "
        and then, then, and finally, finally, and lastly, lastly, next, after that, afterwards, followed by,
        and end with, end with, ending with, and close with, close with, closing with, and finish with, finish with,
        and conclude with, conclude with, second, secondly, third, thirdly, firstly, first, start with,
        starting with, begin with, beginning with, and last, at the end, in the end, and also, as well as, before
        moving on to, before moving to, moving on to",
    questions: "how, what, why, when, where, who, which, whether",
    and: &[" and ", " & ", " as well as ", " plus "],
    lead: "
        and, or, then, also, plus, finally, the, a, an, of, on, about, both, their, its, your, our, his, her, some,
        any, brief, please, explain, explains, describe, describes, discuss, cover, include, including, mention,
        say, tell, tell us, tell me, show, outline, present, list, address, answer, compare, a section on,
        a section about, one section on, a part on, a paragraph on, a paragraph about, sections on, sections about,
        the topic, the topics, topics, the questions, the question, information on, information about,
        details on, details about, something about, mentioning, mention of, discussing, going into, talking about, with, a look at, an overview of, a word on, a word about, as well as,
        touch on, talk about, go into, deal with, focus on, look at, make sure to, write about, write, one on, another on, readers, the reader, in detail,
        first, second, third, next, lastly, to",
    tail: "
        as well, too, etc, and so on, and so forth, in detail, briefly, in depth, if possible, please, in general,
        in this order, in that order, in the order given, and more, among others, and the like, respectively, accordingly, at the end, and, in turn, one by one, each in its own section",
    pairs: &[
        "pros and cons", "dos and don'ts", "do's and don'ts", "supply and demand", "terms and conditions",
        "research and development", "health and safety", "wear and tear", "food and drink", "black and white",
        "trial and error", "profit and loss", "rise and fall", "ins and outs", "strengths and weaknesses",
        "advantages and disadvantages", "tips and tricks", "bed and breakfast", "sale and return",
    ],
    parts: "
        introduction, intro, an introduction, conclusion, a conclusion, summary, a summary, faq, faqs, title,
        headline, table of contents, sources, references, call to action, subheadings, headings, sections,
        paragraphs, keywords, the introduction, the conclusion, short introduction, short conclusion, everything,
        all, others, more, it, them, that, this, topic, topics, everything important, outro, opening, closing",
    labels: "topic, title, subject, theme, working title",
    preps: "
        for, in, as, with, using, use, keep, make, format, aimed, aimed at, intended for, target,
        targeting, at, of, about, around, between, within, to, approximately, roughly, maintain, adopt, add, include,
        without",
    readers: "
        beginners, beginner, beginner-friendly, absolute beginners, newcomers, novices, laypeople, laymen,
        non-experts, non-specialists, experts, specialists, children, kids, teenagers, students, pupils, seniors,
        general readers, general audience, general public, general readership, professionals, amateurs, hobbyists,
        audience, readership, target group, the layperson, first-time buyers, first-time owners, a ten-year-old,
        year-olds, reading level, grade level",
    format: "
        checklist, check list, steps, bullet points, bullet list, bulleted list, bullets, numbered list, step by step,
        step-by-step, step-by-step guide, as a table, in a table, with a table, comparison table, as an interview, as a faq,
        as an faq, faq format, q and a, as a list, as a listicle, listicle, as a letter, as a dialogue, as a story,
        as a press release, press release, short sentences, short paragraphs, simple language, plain language,
        simple words, plain english, easy words, active voice, first person, second person, third person,
        as questions and answers, question and answer format, in chronological order, chronologically,
        in alphabetical order, tabular form, as a newsletter, as an email, as a poem, flowing text",
    tone: "tone, tone of voice, style, voice, register, manner, wording, mood, humour, humor, jargon, witty, humorous",
    words: "words, word, pages, page, characters, paragraphs, sentences, minutes",
    languages: "
        in english, in german, in french, in spanish, in italian, in portuguese, in russian, in dutch, in polish,
        in swedish, in estonian, in latvian, in british english, in american english, british spelling,
        american spelling",
    other: "
        call to action, seo, seo-friendly, seo-optimised, seo-optimized, keywords, keyword, meta description,
        cite sources, cite the sources, with sources, with citations, with quotes, with quotations, with examples,
        practical examples, concrete examples, real examples, with images, with pictures, catchy title,
        catchy headline, table of contents, with a table of contents, key takeaways, emojis, emoji, hashtags",
};

const DE: Table = Table {
    code: "de",
    cover: "
        inklusive, einschließlich, inkl, darunter, insbesondere, vor allem, nämlich, und zwar, mit abschnitten zu, mit
        abschnitten über, abschnitten zu, abschnitten über, abschnitte zu, abschnitte über, es geht um, geht es um,
        fokus auf, schwerpunkt auf, schwerpunkten, behandelnd",
    verbs: "
        behandle, behandeln sie, behandelt, erkläre, erklären sie, erklär, erläutere, erläutern sie, beschreibe,
        beschreiben sie, beschreib, gehe auf, geh auf, gehen sie auf, geht auf, decke, nenne, nennen sie, erwähne,
        erwähnen sie, schildere, beleuchte, beleuchten sie, besonders, berücksichtige, stelle, zeige, beginne mit,
        beginnen sie mit, starte mit, vergleiche, vergleichen sie, zuerst, zunächst, beantworte, fasse, soll, sollte,
        sollen, sollten, muss",
    before: "und, bitte, auch, dann, außerdem, dabei, artikel, text, beitrag, ratgeber, leitfaden, er, es, der",
    closing: "
        behandeln, behandelt werden, erklären, erklärt werden, erläutern, erläutert werden, abdecken, beschreiben,
        beschrieben werden, beleuchten, enthalten, thematisieren, eingehen, eingegangen werden, vorkommen, gehen,
        ansprechen, darstellen, umfassen, nennen, vorstellen, zeigen, beantworten, erwähnen, berücksichtigen",
    avoid: "
        vermeide, vermeiden sie, ohne, verzichte auf, verzichten sie auf, lass, lasse, lassen sie, keine, kein,
        keinen, erwähne nicht, nicht, außer, statt, anstatt",
    sequence: "
        und dann, dann, danach, anschließend, und anschließend, und schließlich, schließlich, zum schluss,
        und zum schluss, am ende, und am ende, zuletzt, und zuletzt, gefolgt von, abschließend, zweitens, drittens,
        zuerst, zunächst, erstens, als nächstes, sowie, beginne mit, beginnen sie mit, starte mit, ende mit,
        und ende mit, daraufhin",
    questions: "wie, was, warum, wann, wo, wer, welche, welcher, welches, weshalb, wieso, wozu, woher, ob, womit, wofür",
    and: &[" und ", " & ", " sowie "],
    lead: "
        und, oder, auch, dann, sowie, der, die, das, den, dem, des, ein, eine, einen, einem, einer, zu, zum, zur, über,
        auf, von, vom, um, ihre, ihren, ihrer, ihr, seine, seinen, sein, seiner, bitte, erkläre, beschreibe, erläutere,
        behandle, nenne, erwähne, mit, einen abschnitt zu, einen abschnitt über, ein abschnitt zu,
        abschnitte zu, abschnitte über, die themen, themen, die frage, die fragen, außerdem, ebenso, kurz, es um, geht auf,
        gehe auf, informationen zu, informationen über, einen überblick über, es, schreibe über, schreib über, geh auf, artikel, der artikel, text, der text,
        beitrag, der beitrag",
    tail: "
        ein, ab, vor, dar, auch, usw, etc, und so weiter, kurz, ausführlich, im detail, bitte, in dieser reihenfolge,
        zusammen, und, hin, werden, heraus, unter anderem, und mehr, jeweils",
    pairs: &[
        "vor- und nachteile", "angebot und nachfrage", "forschung und entwicklung", "vorteile und nachteile",
        "tipps und tricks", "essen und trinken", "aufstieg und fall", "stärken und schwächen", "rechte und pflichten",
        "gewinn und verlust", "für und wider",
    ],
    parts: "
        einleitung, eine einleitung, einführung, eine einführung, fazit, ein fazit, schluss, zusammenfassung,
        eine zusammenfassung, faq, titel, überschrift, quellen, inhaltsverzeichnis, keywords, alles, alles wichtige,
        mehr, weiteres, überschriften, abschnitte, thema, themen, schlusswort",
    labels: "thema, titel, gegenstand, arbeitstitel",
    preps: "
        für, in, im, als, mit, nutze, verwende, verwenden sie, benutze, halte, an, von, etwa, rund,
        ca, circa, ungefähr, mindestens, höchstens, maximal, zwischen, bitte, auf, ohne",
    readers: "
        anfänger, anfängerinnen, einsteiger, einsteigerinnen, laien, neulinge, kinder, jugendliche, schüler,
        studenten, studierende, senioren, experten, fachleute, profis, zielgruppe, leserschaft, publikum,
        ein breites publikum, hobbygärtner, nichtfachleute, fortgeschrittene",
    format: "
        checkliste, prüfliste, stichpunkte, stichpunkten, stichpunktartig, aufzählung, aufzählungspunkte, liste,
        nummerierte liste, schritt für schritt, schritt-für-schritt-anleitung, tabelle, als interview, als faq,
        fragen und antworten, als brief, als dialog, als geschichte, pressemitteilung, kurze sätze, kurzen sätzen,
        kurze absätze, kurzen absätzen, einfache sprache, einfacher sprache, leichte sprache, leichter sprache,
        ich-form, du-form, sie-form, chronologisch, in chronologischer reihenfolge, alphabetisch",
    tone: "
        ton, tonfall, tonalität, stil, schreibstil, sprachstil, sprache, humor, humorvoll, fachjargon, witzig, locker,
        duzen, siezen",
    words: "wörter, wörtern, worte, worten, seiten, seite, zeichen, absätze, absätzen, sätze, sätzen, minuten",
    languages: "
        auf deutsch, auf englisch, auf französisch, auf spanisch, auf italienisch, auf portugiesisch, auf russisch,
        in deutscher sprache, in englischer sprache",
    other: "
        handlungsaufforderung, call to action, seo, seo-optimiert, keywords, keyword, suchbegriffe, meta-beschreibung,
        mit quellen, mit quellenangaben, quellenangaben, mit zitaten, mit beispielen, praktischen beispielen,
        konkreten beispielen, mit bildern, emojis, inhaltsverzeichnis",
};

const FR: Table = Table {
    code: "fr",
    cover: "
        abordant, traitant, expliquant, décrivant, couvrant, présentant, incluant, y compris, notamment, en
        particulier, à savoir, avec des sections sur, des sections sur, sections sur, parties sur, l'accent sur",
    verbs: "
        aborde, aborder, abordez, traite, traiter, traitez, explique, expliquer, expliquez, décris, décrire, décrivez,
        parle, parler, parlez, couvre, couvrir, couvrez, présente, présenter, présentez, mentionne, mentionner,
        mentionnez, inclus, inclure, incluez, détaille, détailler, détaillez, évoque, évoquer, évoquez, commence par,
        commencez par, compare, comparer, comparez, d'abord, tout d'abord, concentre-toi sur, concentrez-vous sur,
        répond, réponds, répondez, indique, indiquez, savoir",
    before: "et, doit, devrait, veuillez, aussi, puis, à, d, il, qui, pour, de, faut, ensuite",
    closing: "",
    avoid: "
        évite, évitez, éviter, sans, ne parle pas, ne parlez pas, ne mentionne pas, ne mentionnez pas, n'évoque pas,
        n'évoquez pas, n'aborde pas, n'abordez pas, exclus, excluez, sauf, ne pas, laisse de côté, laissez de côté, omets,
        omettez, plutôt que, au lieu de",
    sequence: "
        à la fin, et à la fin, puis, et puis, ensuite, et ensuite, enfin, et enfin, après cela, finalement, et finalement, pour finir,
        et pour finir, suivi de, suivie de, suivis de, termine par, terminez par, et termine par, et terminez par,
        pour terminer, deuxièmement, troisièmement, premièrement, d'abord, tout d'abord, en premier, commence par,
        commencez par, ainsi que",
    questions: "comment, pourquoi, quand, où, qui, quoi, quel, quelle, quels, quelles, combien, ce que, ce qui, si",
    and: &[" et ", " & ", " ainsi que "],
    lead: "
        et, ou, puis, aussi, le, la, les, un, une, des, du, de, de la, de l, d, l, au, aux, sur, à, leur, leurs, son, sa,
        ses, votre, vos, explique, expliquez, décris, décrivez, présente, présentez, aborde, abordez, une section sur,
        une partie sur, des informations sur, ensuite, enfin, également, écris sur, écrivez sur, rédige, rédigez, ainsi que, sujets, thèmes",
    tail: "
        aussi, également, etc, en détail, brièvement, s'il vous plaît, s'il te plaît, dans cet ordre, et, entre autres,
        si possible",
    pairs: &["avantages et inconvénients", "offre et la demande", "recherche et développement", "forces et faiblesses"],
    parts: "
        introduction, une introduction, conclusion, une conclusion, résumé, un résumé, faq, titre, sources,
        table des matières, sommaire, mots-clés, tout, plus, sections, thèmes, sujets",
    labels: "sujet, titre, thème",
    preps: "
        pour, en, dans, sous, sur, avec, utilise, utilisez, adopte, adoptez, garde, gardez, environ, destiné, d'environ,
        de, à, aux, entre, comme, sans",
    readers: "
        débutants, débutantes, les débutants, grand public, le grand public, novices, enfants, les enfants,
        adolescents, étudiants, experts, spécialistes, professionnels, non-spécialistes, public, lecteurs, néophytes",
    format: "
        liste de contrôle, check-list, checklist, liste à puces, puces, liste numérotée, étape par étape, tableau,
        sous forme de liste, sous forme de tableau, interview, foire aux questions, questions-réponses, lettre,
        dialogue, communiqué de presse, phrases courtes, paragraphes courts, langage simple, mots simples,
        première personne, ordre chronologique, ordre alphabétique",
    tone: "ton, style, registre, humour, jargon, humoristique",
    words: "mots, pages, page, caractères, paragraphes, phrases, minutes",
    languages: "
        en français, en anglais, en allemand, en espagnol, en italien, en portugais, en russe",
    other: "
        appel à l'action, seo, mots-clés, mot-clé, méta-description, avec des exemples, avec des sources, citations,
        exemples concrets, avec des images, table des matières, émojis",
};

const ES: Table = Table {
    code: "es",
    cover: "
        cubriendo, incluyendo, explicando, tratando, abordando, describiendo, con secciones sobre, secciones sobre,
        apartados sobre, en particular, en especial, especialmente, sobre todo, a saber",
    verbs: "
        cubre, cubra, cubrir, incluye, incluya, incluir, explica, explique, explicar, trata, trate, tratar, habla,
        hable, hablar, aborda, aborde, abordar, describe, describa, describir, menciona, mencione, mencionar, detalla,
        detalle, presenta, presente, empieza con, empieza por, empiece con, empiece por, comienza con, comience con,
        compara, compare, primero, céntrate en, enfócate en, responde, indica, saber, analiza, analice",
    before: "y, debe, debería, por favor, también, luego, a, que, e, favor, para, quiero, deberá",
    closing: "",
    avoid: "
        evita, evite, evitar, sin, no menciones, no mencione, no hables, no hable, no incluyas, no incluya, excluye,
        excluya, excepto, salvo, omite, omita, deja fuera, no uses, no use, no, en lugar de, en vez de",
    sequence: "
        al final, y al final, para acabar, y para acabar, luego, y luego, después, y después, finalmente, y finalmente, por último, y por último, para terminar,
        y para terminar, seguido de, seguida de, a continuación, termina con, y termina con, termine con,
        y termine con, segundo, tercero, primero, en primer lugar, en segundo lugar, empieza con, empieza por,
        comienza con, así como",
    questions: "cómo, qué, por qué, cuándo, dónde, quién, quiénes, cuál, cuáles, cuánto, cuánta, cuántos, cuántas, si",
    and: &[" y ", " e ", " & ", " así como "],
    lead: "
        y, e, o, luego, también, el, la, los, las, un, una, unos, unas, de, del, de la, sobre, a, al, su, sus, explica,
        explique, describe, describa, incluye, una sección sobre, un apartado sobre, información sobre, por último,
        finalmente, así como, temas, acerca de, con, en",
    tail: "también, etc, en detalle, brevemente, por favor, en este orden, en ese orden, y, entre otros, si es posible",
    pairs: &["ventajas y desventajas", "ventajas e inconvenientes", "pros y contras", "oferta y demanda"],
    parts: "
        introducción, una introducción, conclusión, una conclusión, resumen, un resumen, faq, título, fuentes, índice,
        palabras clave, todo, más, secciones, temas, apartados",
    labels: "tema, título, asunto",
    preps: "
        para, en, como, con, usa, use, utiliza, utilice, mantén, mantenga, dirigido a, de, unas, unos, aproximadamente,
        alrededor, entre, a, sin, por",
    readers: "
        principiantes, los principiantes, novatos, niños, jóvenes, estudiantes, expertos, especialistas, profesionales,
        público general, público, lectores, no especialistas, aficionados",
    format: "
        lista de verificación, lista de comprobación, lista de control, checklist, viñetas, lista numerada, paso a paso,
        tabla, en forma de lista, en forma de tabla, entrevista, preguntas frecuentes, preguntas y respuestas, carta, diálogo,
        nota de prensa, frases cortas, párrafos cortos, lenguaje sencillo, lenguaje simple, primera persona,
        orden cronológico, orden alfabético",
    tone: "tono, estilo, registro, humor, jerga",
    words: "palabras, páginas, página, caracteres, párrafos, frases, minutos",
    languages: "en español, en inglés, en alemán, en francés, en italiano, en portugués, en ruso",
    other: "
        llamada a la acción, seo, palabras clave, palabra clave, metadescripción, con ejemplos, con fuentes, con citas,
        ejemplos concretos, ejemplos prácticos, con imágenes, emojis",
};

const IT: Table = Table {
    code: "it",
    cover: "
        trattando, coprendo, includendo, spiegando, descrivendo, affrontando, compresi, comprese, compreso, compresa,
        inclusi, incluse, incluso, inclusa, in particolare, soprattutto, ovvero, con sezioni su, sezioni su",
    verbs: "
        tratta, trattare, copri, coprire, includi, includere, spiega, spiegare, spieghi, descrivi, descrivere,
        descriva, parla, parlare, parli, affronta, affrontare, menziona, menzionare, illustra, illustrare, presenta,
        presentare, inizia con, comincia con, inizia da, confronta, prima, innanzitutto, concentrati su, rispondi,
        indica, sapere, analizza, approfondisci",
    before: "e, deve, dovrebbe, anche, poi, a, che, ed, favore, da, per",
    closing: "",
    avoid: "
        evita, evitare, eviti, senza, non menzionare, non parlare, non includere, non citare, non usare, escludi,
        escludere, tranne, eccetto, ometti, tralascia, non, invece di, piuttosto che",
    sequence: "
        alla fine, e alla fine, da ultimo, e da ultimo, poi, e poi, dopo, quindi, e quindi, infine, e infine, successivamente, e successivamente, per finire,
        e per finire, per concludere, seguito da, seguita da, termina con, e termina con, concludi con, e concludi con,
        secondo, terzo, innanzitutto, in primo luogo, in secondo luogo, prima, inizia con, comincia con, nonché, come pure",
    questions: "come, cosa, che cosa, perché, quando, dove, chi, quale, quali, quanto, quanta, quanti, quante, se",
    and: &[" e ", " ed ", " & ", " nonché "],
    lead: "
        e, ed, o, poi, anche, il, lo, la, i, gli, le, un, uno, una, di, del, della, dei, delle, degli, dello, dell, l, su,
        sul, sulla, sui, sulle, sugli, a, al, alla, da, dal, loro, suo, sua, suoi, sue, i suoi, le sue, spiega, descrivi,
        includi, una sezione su, informazioni su, infine, argomenti, temi, tratta, parla",
    tail: "anche, ecc, eccetera, in dettaglio, brevemente, per favore, in quest'ordine, in questo ordine, e, tra gli altri",
    pairs: &["vantaggi e svantaggi", "pro e contro", "domanda e offerta", "punti di forza e debolezza"],
    parts: "
        introduzione, un'introduzione, conclusione, una conclusione, riassunto, un riassunto, faq, titolo, fonti,
        indice, parole chiave, tutto, altro, sezioni, temi, argomenti",
    labels: "tema, titolo, argomento",
    preps: "
        per, in, come, con, usa, usare, utilizza, mantieni, rivolto a, di, circa, tra, sotto, a, ai, senza,
        da",
    readers: "
        principianti, i principianti, neofiti, bambini, ragazzi, studenti, esperti, specialisti, professionisti,
        pubblico, grande pubblico, lettori, non esperti, appassionati",
    format: "
        lista di controllo, checklist, elenco puntato, punti elenco, elenco numerato, passo dopo passo, passo passo,
        tabella, sotto forma di elenco, intervista, domande frequenti, domande e risposte, lettera, dialogo,
        comunicato stampa, frasi brevi, paragrafi brevi, linguaggio semplice, parole semplici, prima persona,
        ordine cronologico, ordine alfabetico",
    tone: "tono, stile, registro, umorismo, gergo",
    words: "parole, pagine, pagina, caratteri, paragrafi, frasi, minuti",
    languages: "in italiano, in inglese, in tedesco, in francese, in spagnolo, in portoghese, in russo",
    other: "
        invito all'azione, seo, parole chiave, parola chiave, meta descrizione, con esempi, con fonti, con citazioni,
        esempi concreti, esempi pratici, con immagini, emoji",
};

const PT: Table = Table {
    code: "pt",
    cover: "
        cobrindo, abordando, incluindo, explicando, descrevendo, tratando, com seções sobre, com secções sobre, seções
        sobre, secções sobre, em particular, especialmente, sobretudo, nomeadamente, a saber",
    verbs: "
        cubra, cobrir, cobre, aborde, abordar, aborda, inclua, incluir, inclui, explique, explicar, explica, descreva,
        descrever, descreve, fale, falar, fala, trate, tratar, trata, mencione, mencionar, apresente, apresentar,
        detalhe, detalhar, comece com, comece por, começa por, compare, comparar, primeiro, concentre-se em, foque em,
        responda, indique, saber, analise",
    before: "e, deve, deveria, também, depois, a, que, favor, para, devem",
    closing: "",
    avoid: "
        evite, evitar, sem, não mencione, não fale, não inclua, não use, não cite, exclua, excluir, exceto, salvo,
        omita, deixe de fora, não, em vez de",
    sequence: "
        no fim, e no fim, no final, e no final, depois, e depois, em seguida, e em seguida, então, finalmente, e finalmente, por fim, e por fim, por último,
        e por último, para terminar, seguido de, seguida de, termine com, e termine com, segundo, terceiro, primeiro,
        em primeiro lugar, comece com, comece por, bem como, assim como",
    questions: "como, o que, por que, porque, porquê, quando, onde, quem, qual, quais, quanto, quanta, quantos, quantas, se",
    and: &[" e ", " & ", " bem como ", " assim como "],
    lead: "
        e, ou, depois, também, o, a, os, as, um, uma, de, do, da, dos, das, sobre, em, no, na, seu, sua, seus, suas,
        explique, descreva, inclua, aborde, uma seção sobre, uma secção sobre, informações sobre, por fim, finalmente,
        temas, tópicos, bem como, com",
    tail: "também, etc, em detalhe, brevemente, por favor, nesta ordem, e, entre outros, se possível",
    pairs: &["vantagens e desvantagens", "prós e contras", "oferta e demanda", "oferta e procura"],
    parts: "
        introdução, uma introdução, conclusão, uma conclusão, resumo, um resumo, faq, título, fontes, índice, sumário,
        palavras-chave, tudo, mais, seções, secções, temas, tópicos",
    labels: "tema, título, assunto",
    preps: "
        para, em, num, numa, como, com, use, usar, utilize, mantenha, dirigido a, de, cerca, aproximadamente, entre, a, sem, por",
    readers: "
        iniciantes, principiantes, leigos, crianças, jovens, estudantes, especialistas, profissionais, público geral,
        público, leitores, amadores",
    format: "
        lista de verificação, checklist, marcadores, lista numerada, passo a passo, tabela, em forma de lista, entrevista,
        perguntas frequentes, perguntas e respostas, carta, diálogo, comunicado de imprensa, frases curtas,
        parágrafos curtos, linguagem simples, primeira pessoa, ordem cronológica, ordem alfabética",
    tone: "tom, estilo, registro, registo, humor, jargão",
    words: "palavras, páginas, página, caracteres, parágrafos, frases, minutos",
    languages: "em português, em inglês, em alemão, em francês, em espanhol, em italiano, em russo",
    other: "
        chamada para ação, chamada à ação, seo, palavras-chave, palavra-chave, meta descrição, com exemplos, com fontes,
        com citações, exemplos concretos, exemplos práticos, com imagens, emojis",
};

const RU: Table = Table {
    code: "ru",
    cover: "
        включая, в том числе, а именно, особенно, с разделами о, разделы о",
    verbs: "
        расскажи о, расскажите о, расскажи об, расскажите об, расскажи про, расскажите про, расскажи, расскажите,
        опиши, опишите, объясни, объясните, охвати, охватите, включи, включите, рассмотри, рассмотрите, упомяни,
        упомяните, затронь, затроньте, освети, осветите, раскрой, раскройте, поясни, поясните, начни с, начните с,
        сравни, сравните, сначала, ответь, ответьте, покажи, покажите, укажи, укажите, перечисли, перечислите",
    before: "и, пожалуйста, также, потом, затем, а, должна, нужно",
    closing: "",
    avoid: "
        избегай, избегайте, не упоминай, не упоминайте, не пиши, не пишите, не используй, не используйте, без, исключи,
        исключите, кроме, не включай, не включайте, не говори, не говорите, не рассказывай, не рассказывайте, вместо",
    sequence: "
        затем, а затем, и затем, потом, а потом, и потом, после этого, наконец, и наконец, в конце, и в конце, далее,
        во-вторых, в-третьих, во-первых, в заключение, и в заключение, сначала, начни с, начните с, закончи, закончите,
        а также",
    questions: "как, что, почему, когда, где, кто, какой, какая, какие, какое, зачем, сколько, чем, куда, откуда",
    and: &[" и ", " & ", " а также "],
    lead: "
        и, или, а, также, о, об, обо, про, с, на, их, его, её, ее, объясни, объясните, опиши, опишите, расскажи, расскажите,
        раздел о, информацию о, сведения о, том, о том, темы, ещё, еще",
    tail: "тоже, также, и т, и так далее, подробно, кратко, пожалуйста, в этом порядке, и",
    pairs: &["плюсы и минусы", "преимущества и недостатки", "спрос и предложение", "за и против"],
    parts: "
        введение, заключение, вывод, выводы, резюме, заголовок, источники, оглавление, содержание, ключевые слова, всё,
        все, разделы, темы",
    labels: "тема, заголовок, название",
    preps: "
        для, в, на, как, с, со, используй, используйте, около, примерно, от, до, без, объемом, объёмом, виде",
    readers: "
        новичков, начинающих, детей, подростков, студентов, школьников, специалистов, экспертов, профессионалов,
        широкой аудитории, широкой публики, аудитории, читателей, неспециалистов, любителей",
    format: "
        чек-листа, чек-лист, чеклиста, чеклист, контрольный список, списка, маркированный список, нумерованный список,
        пошагово, шаг за шагом, таблицы, интервью, вопросов и ответов, письма, диалога, пресс-релиза, короткие
        предложения, короткими предложениями, простым языком, простыми словами, от первого лица,
        в хронологическом порядке, в алфавитном порядке",
    tone: "тоне, тон, стиле, стиль, юмором, жаргон, жаргона",
    words: "слов, слова, страниц, страницы, знаков, символов, абзацев, предложений, минут",
    languages: "
        на русском, на русском языке, на английском, на английском языке, на немецком, на немецком языке, на французском,
        на испанском, на итальянском",
    other: "призыв к действию, seo, ключевые слова, ключевых слов, с примерами, с источниками, с цитатами, с картинками, эмодзи",
};
