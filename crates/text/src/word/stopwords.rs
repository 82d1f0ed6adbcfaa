//! Words too common to mean anything alone. Data: lower case, straight apostrophes.

use std::{collections::HashSet, sync::LazyLock};

const EN: &str =
    "a about above after again against ain't all also am an and any are aren't as at be because been before
    being below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during
    each either else etc ever every few for from further had hadn't has hasn't have haven't having he he'd he'll he's
    her here here's hers herself him himself his how how's i i'd i'll i'm i've if in into is isn't it it'd it'll it's
    its itself just let let's me might more most much must mustn't my myself neither no nor not now of off on once only
    onto or other others our ours ourselves out over own per rather same shall shan't she she'd she'll she's should
    shouldn't since so some such than that that's the their theirs them themselves then there there's these they they'd
    they'll they're they've this those though through thus to too under until up upon us very via was wasn't we we'd
    we'll we're we've were weren't what what's when when's where where's whether which while who who's whom whose why
    why's will with within without won't would wouldn't yet you you'd you'll you're you've your yours yourself
    yourselves";

const DE: &str = "ab aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes ans
    auch auf aus bei beim bin bis bist da dabei dadurch dafür dagegen daher damit danach dann daran darauf daraus darin
    darum das dass davon dazu dein deine deinem deinen deiner dem den denen denn der deren des dessen dich die dies
    diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einige einigem einigen
    einiger einmal er es etwa etwas euch euer eure für gegen gewesen hab habe haben hat hatte hatten hier hin hinter
    ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jedem jeden jeder jedes jedoch jene jenem
    jenen jener jenes jetzt kann kannst kein keine keinem keinen keiner können könnte man manche mehr mein meine meinem
    meinen meiner mich mir mit muss musste nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen
    seiner seit selbst sich sie sind so solche solchem solchen solcher soll sollen sollte sondern sonst soweit sowie
    über um und uns unser unsere unserem unseren unter viel vom von vor war waren warum was weg weil weiter welche
    welchem welchen welcher welches wenn wer werde werden wie wieder will wir wird wirst wo wollen wollte wurde wurden
    würde würden zu zum zur zwar zwischen";

const FR: &str = "à afin ai aie ainsi alors après as au aucun aucune aujourd'hui auquel aussi autre autres aux avaient
    avais avait avant avec avez avoir avons ayant c'est ça car ce ceci cela celle celles celui cependant ces cet cette
    ceux chaque chez comme comment d'un d'une dans de depuis des deux doit donc dont du elle elles en encore entre es
    est et étaient étais était étant été être eu eux fait faut il ils j'ai je jusqu'à la là laquelle le lequel les
    lesquels leur leurs lors lorsque lui ma mais me même mêmes mes moi moins mon n'est ne ni non nos notre nous on ont
    ou où par parce pas peu peut plus plusieurs pour pourquoi puis qu'il qu'on qu'un quand que quel quelle quelles quels
    qui quoi s'il sa sans se sera serait ses si sien son sont sous sur ta te tes toi ton tous tout toute toutes très tu
    un une vers vos votre vous y";

const ES: &str = "a al algo algunas algún alguno algunos ante antes aquel aquella aquello aquellos así aún aunque bien
    cada como cómo con contra cual cuál cuales cuando cuándo de del desde donde dónde dos durante e el él ella ellas
    ello ellos en entre era eran eres es esa esas ese eso esos esta está estaba estaban estado están estar estas este
    esto estos estoy fue fueron ha había habían haber hace hacia han hasta hay he la las le les lo los más me mí mi
    mientras mis mismo mucha muchas mucho muchos muy nada ni no nos nosotros nuestra nuestro nuestros o os otra otras
    otro otros para pero poco por porque pues que qué quien quién quienes se sea según ser si sí sido siempre sin sino
    sobre solo sólo son soy su sus suyo tal también tampoco tan tanto te tener tiene tienen todas todo todos tu tú tus
    un una unas uno unos usted ustedes vosotros y ya yo";

const IT: &str = "a abbiamo ad agli ai al alcuni all alla alle allo altra altre altri altro anche ancora avere aveva
    avevano c'è che chi ci ciò coi col come con contro cosa così cui da dagli dai dal dall dalla dalle dallo degli dei
    del dell della delle dello dentro di dopo dove due e è ed era erano essere fa fino fra già gli ha hanno ho i il in
    invece io la le lei li lo loro lui ma me mentre mi mia mie miei mio molti molto ne negli nei nel nell nella nelle
    nello no noi non nostra nostro o ogni oltre per perché però più poco poi prima proprio può qual quale quali quando
    quanto quella quelle quelli quello questa queste questi questo qui quindi sarà se sei sempre senza si sia siamo sono
    sopra sotto sta stata stati stato su sua sue sugli sui sul sull sulla sulle suo suoi tra tu tutta tutte tutti tutto
    un una uno vi voi";

const PT: &str = "à a ainda algo alguém algum alguma alguns ao aos apenas após aquela aquelas aquele aqueles aquilo as
    às assim até bem cada com como contra da das de dela dele deles depois desde dessa desse desta deste do dos dois e é
    ela elas ele eles em enquanto então entre era eram essa essas esse esses esta está estão estar estas estava este
    estes estou eu foi foram há isso isto já la lhe lhes lo mais mas me mesma mesmo meu meus minha muito muitos na nas
    não nem nenhum nessa nesse nesta neste no nos nós nossa nosso num numa o onde os ou outra outras outro outros para
    pela pelas pelo pelos pode por porque pouco qual quando quanto que quem são se sem sempre ser será seu seus si sido
    só sob sobre sua suas também tão te tem têm ter teu teve tinha toda todas todo todos tu tua tudo um uma umas uns
    vai você vocês vos";

const NL: &str = "aan af al alle alleen alles als altijd ander andere anders ben bent bij binnen boven daar dan dat de
    deze die dit doch doen door dus echter een één eens elk elke en enige er ermee etc ge geen geweest haar had hadden
    heb hebben heeft hem hen het hier hij hoe hoewel hun iemand iets ik in is ja je jij jou jouw jullie kan kon konden
    kunnen maar me meer men met mij mijn moet moeten na naar naast niet niets nog nu of om omdat onder ons onze ook op
    over reeds sinds slechts te tegen ten ter terwijl toch toen tot tussen u uit uw van vanaf veel via voor vooral waar
    waarom wanneer want waren was wat we wel werd werden wie wij wil worden wordt zal ze zei zelf zich zij zijn zo
    zoals zonder zou zouden";

const RU: &str = "а без более больше будет будто бы был была были было быть в вам вами вас весь во вот все всё всего
    всей всех всю вы где да даже для до его ее её ей ему если есть еще ещё же за здесь и из или им ими их к каждый как
    какая какие какой ко когда которая которого которое которой которые который которых кто куда ли либо между меня мне
    много может можно мой моя мы на над надо наш не него нее неё ней нельзя нет ни нибудь них но ну о об однако он она
    они оно от очень по под после потом потому при про раз с сам свой свою себе себя со так также такая такие такой там
    тебя тем то тогда того тоже той только том тот ту тут ты у уже хотя чего чей чем через что чтобы чуть эта эти этим
    этих это этого этой этом этот эту я";

/// The languages with a list, ISO 639-1.
const LISTS: [(&str, &str); 8] =
    [("en", EN), ("de", DE), ("fr", FR), ("es", ES), ("it", IT), ("pt", PT), ("nl", NL), ("ru", RU)];

pub(crate) const LANGUAGES_WITH_STOPWORDS: [&str; 8] = ["en", "de", "fr", "es", "it", "pt", "nl", "ru"];

static SETS: LazyLock<Vec<(&str, HashSet<&str>)>> =
    LazyLock::new(|| LISTS.iter().map(|(lang, words)| (*lang, words.split_whitespace().collect())).collect());

/// Whether the word, in any case, means nothing alone in this language (ISO 639-1). False where we have no list.
pub fn is_stopword(word: &str, lang: &str) -> bool {
    SETS.iter().find(|(l, _)| *l == lang).is_some_and(|(_, set)| set.contains(super::normalise(word).as_str()))
}

/// Whether the word is a stop word of any language that we have a list of.
pub(crate) fn is_stopword_anywhere(word: &str) -> bool {
    let word = super::normalise(word);
    SETS.iter().any(|(_, set)| set.contains(word.as_str()))
}
