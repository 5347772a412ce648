"""Words that hold sentences together in a language, and that a question isn't about.

Nothing is left out of the index for them: a text that consists of them can be found.
"""

from __future__ import annotations

_LISTED = {
    "da": """
        af alle anden at blev blive bliver da de dem den denne der deres det dette dig din disse dog du efter eller
        en end er et for fra ham han hans har havde have hen hendes her hos hun hvad hvem hver hvilke hvilken hvis
        hvor hvordan hvorfor hvornår i ikke ind ja jeg jer jeres kan kunne man mange med meget men mig min mit må
        nej noget nogle nu når og også om op os over på sig sin skal skulle som sådan til ud under var ved vi vil
        ville vor være været
    """,
    "de": """
        aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da damit
        dann das dass dein deine dem den denn der des dessen dich die dies diese diesem diesen dieser dieses dir
        doch dort du durch ein eine einem einen einer eines er es etwas euch euer für gegen hab habe haben hat hatte
        hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist jede jedem jeden
        jeder jedes jetzt kann kannst kein keine keinen können könnte machen man manche mein meine meinem meinen
        meiner mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen
        seiner seit sich sie sind so soll sollen sollte solche sondern sonst über um und uns unser unsere unter viel
        vom von vor wann war waren warum was weil welche welchem welchen welcher welches wenn wer werde werden
        weshalb wie wieder wieso will wir wird wirst wo woher wohin wollen worden wozu wurde wurden würde zu zum zur
        zwar zwischen
    """,
    "en": """
        a about above after again against all am an and any are aren as at be because been before being below
        between both but by can could couldn did didn do does doesn doing don down during each few for from further
        had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its
        itself just me might more most must my myself no nor not now of off on once only or other our ours ourselves
        out over own same shall she should shouldn so some such than that the their theirs them themselves then
        there these they this those through to too under until up us very was wasn we were weren what when where
        which while who whom whose why will with won would wouldn you your yours yourself
    """,
    "es": """
        a al algo algún alguna algunas alguno algunos ante antes aquel aquella aquellos así aún cada como cómo con
        contra cual cuál cuales cuáles cualquier cuando cuándo cuanto cuánto cuántos de del desde donde dónde
        durante e el él ella ellas ellos en entre era eran es esa esas ese eso esos esta está están estar estas este
        esto estos fue fueron ha haber había han has hasta hay he hemos la las le les lo los más me mi mis mucho muy
        nada ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por porque puede pueden
        puedo que qué quien quién quienes se sea ser será si sí sido sin sobre son soy su sus también tanto te tener
        tengo ti tiene tienen todo todos tu tú tus un una unas uno unos usted vosotros y ya yo
    """,
    "fr": """
        a afin ai alors après as au aucun aucune aussi autre autres aux avait avant avec avez avoir avons c ce ceci
        cela celle celles celui ces cet cette ceux chaque chez ci comme comment d dans de depuis des dois doit
        doivent donc dont du elle elles en entre es est et étaient était été être eu eux faire fait faut il ils j je
        jusqu l la là laquelle le lequel les lesquels leur leurs lors lui m ma mais me même mes moi moins mon n ne
        ni nos notre nous on ont ou où par parce pas pendant peu peut peuvent peux plus pour pourquoi puis qu quand
        que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont sous suis sur t ta te tes toi ton
        tous tout toute toutes très tu un une vers vos votre vous y
    """,
    "it": """
        a abbiamo ad agli ai al alcuni alla alle allo altri altro anche ancora avere aveva c che chi ci come con
        contro cosa cui d da dagli dai dal dalla dalle dei del della delle dello di dove due e è ed era erano essere
        fa fare fino fra gli ha hai hanno ho i il in io l la le lei li lo loro lui ma me mi mia mie miei mio molto
        ne negli nei nel nella nelle nello noi non nostro o ogni per perché però più poi posso può possono qual
        quale quali quando quanto quella quelle quelli quello questa queste questi questo qui se sei senza si sia
        siamo sono sopra sotto sta stato su sua sue sugli sui sul sulla sulle suo suoi te ti tra tu tua tuo tutti
        tutto un una uno vi voi vostro
    """,
    "nl": """
        aan al alle als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een en er ge geen
        had heb hebben heeft hem hen het hier hij hoe hun iets ik in is ja je jij jou jouw jullie kan kon kunnen
        kunt maar me meer men met mij mijn moet moeten na naar niet niets nog nu of om omdat ons onze ook op over
        waar waarom wanneer want was wat we welk welke werd wie wij wil willen worden wordt zal ze zei zelf zich zij
        zijn zo zonder zou u uit uw van veel voor
    """,
    "no": """
        alle at av bare ble bli blir da de deg dem den denne der deres det dette di din disse du eg ei eller en enn
        er et etter for fordi fra få ha hadde han hans har hennes her hos hun hva hvem hver hvilke hvilken hvis hvor
        hvordan hvorfor i ikke inn ja jeg kan kunne man mange med meg men mer min mitt mot må noe noen nå når og
        også om opp oss over på seg sin skal skulle som så til ut var ved vi vil ville vår være vært
    """,
    "pl": """
        a aby albo ale ani aż bez bo by być był była było były co coś czy dla do dlaczego gdy gdzie go i ich ile im
        inne inny ja jak jaka jaki jakie jako je jego jej jest jestem jeszcze jeśli jeżeli już każdy kiedy kto która
        które którego której który których którzy lub ma mają mam mi mnie mogą mogę moja moje może można mój musi my
        na nad nam nas nasz nie nich nim niż no o od on ona one oni oraz po pod ponieważ przed przez przy są się
        skąd swoje ta tak także tam te tego tej ten to tu twój ty tych tylko tym u w wam was we więc wszystkie wy z
        za ze że
    """,
    "pt": """
        a à ao aos as às até com como da das de dela dele deles depois do dos e é ela elas ele eles em entre era
        eram essa esse esta está estão estar estas este estes eu faz fazer foi for foram há isso isto já lhe mais
        mas me mesmo meu minha muito na não nas nem no nos nós nossa nosso num numa o onde os ou para pela pelas
        pelo pelos pode podem por porque posso qual quais quando quanto que quem são se sem ser será seu seus só
        sobre sua suas também te tem têm ter tinha tu tudo um uma você vocês
    """,
    "ru": """
        а без более бы был была были было быть в вам вас ваш весь во вот все всё всего всех вы где да для до его ее
        её если есть еще ещё же за и из или им их к как какая какие какой каком когда кого который которая которые
        кто ли либо меня мне можно мой мы на над нам нас наш не него нее неё нет ни них но о об он она они оно от
        очень по под после почему при про с сам свои своих со так также такой там те тем то того тоже той только том
        ты у уже хотя чего чем через что чтобы эта эти это этого этой этом этот я
    """,
    "sv": """
        alla allt att av bara blev bli blir de dem den denna deras dess det detta dig din dina dit ditt du där då
        efter eller en er ett från för ha hade han hans har hennes hon honom hur här i icke inte ja jag kan kunde
        man med mellan men mer mig min mina mitt mot mycket måste ni nu när någon något några och om oss på samma
        sedan sig sin sina ska skulle som så till under upp ut vad var varför varje vara vem vi vid vilka vilken
        vilket vill vår våra än är över
    """,
}

STOP_WORDS = {language: frozenset(words.split()) for language, words in _LISTED.items()}
"""ISO 639-1 code → words, as they are written in lower case."""
