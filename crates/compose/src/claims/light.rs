//! Words that say little alone, so that a rewrite may have one that its source has not: `take`, `get`, `thing`.

use std::{collections::HashSet, sync::OnceLock};

use crate::lexicon;

const EN: &str = "get, gets, got, getting, give, gives, gave, given, giving, take, takes, took, taken, taking, make, makes, made,
    making, put, puts, putting, keep, keeps, kept, keeping, bring, brings, brought, come, comes, came, coming, go, goes, went, gone,
    going, become, becomes, became, let, lets, leave, leaves, left, need, needs, needed, use, uses, used, using, exist, exists,
    existed, provide, provides, provided, offer, offers, offered, involve, involves, include, includes, thing, things, way, ways,
    case, cases, kind, kinds, sort, one, ones, someone, somebody, anyone, person, people, reason, fact, time, number, amount, job,
    work, also, too, even, still, well, respectively, overall, available, possible, own, happen, happens, happened, apply, applies,
    company, companies, firm, firms, operator, operators, organisation, organisations, organization, organizations, site, sites,
    place, places, facility, facilities, product, products, item, items, part, parts, service, services, situation, total,
    currently, now, there, another, various, certain, respective, actually, simply, just, therefore, however";
const DE: &str = "tun, tut, tat, getan, machen, macht, machte, gemacht, geben, gibt, gab, gegeben, nehmen, nimmt, nahm, genommen, kommen, kommt, kam,
    gekommen, gehen, geht, ging, gegangen, bringen, bringt, gebracht, lassen, lässt, ließ, stehen, steht, stand, liegen, liegt, lag,
    stellen, stellt, brauchen, braucht, nutzen, nutzt, genutzt, bekommen, bekommt, bekam, erhalten, erhält, geworden, führen,
    führt, hat, haben, gilt, gelten, erfolgt, erfolgen, ding, dinge, art, fall, grund, zahl, zeit, mal, jemand, person, personen,
    menschen, leute, möglich, auch, sogar, insgesamt, jeweils, selbst, verfügung, dafür, dabei, davon, daran,
    betrieb, firma, unternehmen, anlage, ort, stelle, bereich, teil, teile, produkt, dazu, daraus, dort, hier, nun, derzeit, bereits,
    entsprechend, jeweilige, verschiedene, findet, fand, statt, stattfinden, besitzt, verfügt, sorgt, sorgen, weitere";
const FR: &str = "faire, fait, font, faisait, prendre, prend, prennent, pris, prise, donner, donne, donnent, donné, mettre, met,
    mettent, mis, mise, venir, vient, viennent, aller, va, vont, devenir, devient, devenu, devenue, laisser, laisse, avoir, a, ont,
    utiliser, utilise, besoin, chose, choses, façon, cas, sorte, nombre, fois, personne, personnes, gens, raison, possible,
    disponible, aussi, même, encore, trouver, trouve, trouvent, permet, permettent, offrir, offre, compter, compte, existe, existent";
const ES: &str = "hacer, hace, hacen, hizo, hecho, tomar, toma, toman, dar, da, dan, dio, dado, poner, pone, ponen, venir, viene,
    vienen, ir, va, van, llegar, llega, llegan, quedar, queda, quedan, llevar, lleva, llevan, usar, usa, usan, necesitar, necesita,
    necesitan, recibir, recibe, reciben, cosa, cosas, forma, manera, caso, casos, tipo, número, vez, veces, persona, personas, gente,
    razón, posible, disponible, también, incluso, existe, existen, cuenta, cuentan, dispone, disponen, ofrece, ofrecen, hubo, había";
const IT: &str = "fare, fa, fanno, fatto, prendere, prende, prendono, preso, dare, dà, danno, dato, mettere, mette, mettono, messo,
    venire, viene, vengono, andare, va, vanno, diventare, diventa, diventato, lasciare, lascia, usare, usa, usano, bisogno, serve,
    servono, ricevere, riceve, cosa, cose, modo, caso, casi, tipo, numero, volta, volte, persona, persone, gente, ragione,
    possibile, disponibile, anche, persino, esiste, esistono, conta, dispone, offre, offrono";
const PT: &str = "fazer, faz, fazem, fez, feito, tomar, toma, dar, dá, dão, deu, dado, pôr, põe, vir, vem, vêm, ir, vai, vão, chegar,
    chega, ficar, fica, ficam, levar, leva, levam, usar, usa, usam, precisar, precisa, precisam, receber, recebe, recebem, coisa,
    coisas, forma, maneira, caso, casos, tipo, número, vez, vezes, pessoa, pessoas, gente, razão, possível, disponível, também,
    existe, existem, conta, dispõe, oferece, oferecem, houve, havia";
const RU: &str = "делать, делает, делают, сделал, сделали, брать, берет, берёт, взять, дать, дает, даёт, дают, дал, дали, идти,
    идет, идёт, идут, приходить, приходит, становиться, становится, стал, стала, стало, стали, оставить, использовать, использует,
    используют, нужно, нужен, нужна, нужны, получать, получает, получают, получил, получили, вещь, вещи, способ, случай, случае,
    вид, число, количество, раз, человек, люди, людей, причина, возможно, доступно, также, даже, имеет, имеют, имеется, есть";

/// Whether a word in lower case is such a word of a language (ISO 639-1).
pub(super) fn is(lower: &str, lang: &str) -> bool {
    static READ: [OnceLock<HashSet<&str>>; 7] = [const { OnceLock::new() }; 7];
    const LISTS: [(&str, &str); 7] =
        [("en", EN), ("de", DE), ("fr", FR), ("es", ES), ("it", IT), ("pt", PT), ("ru", RU)];
    let lang = lexicon::primary(lang);
    let Some(at) = LISTS.iter().position(|(code, _)| *code == lang) else { return false };
    READ[at].get_or_init(|| lexicon::entries(LISTS[at].1).collect()).contains(lower)
}
