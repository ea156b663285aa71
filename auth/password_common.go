package auth

// commonWords are what common passwords are built of, in lower case without substitutions; "P@ssw0rd2026!" is one of
// them and a year.
var commonWords = [...]string{
	"abc123", "access", "admin", "administrator", "asdf", "azerty", "changeme", "default", "dragon", "football",
	"guest", "iloveyou", "letmein", "login", "master", "monkey", "passphrase", "passwd", "password", "passwort",
	"princess", "qazwsx", "qwerty", "qwertz", "root", "secret", "sensor", "shadow", "sunshine", "superman",
	"temporary", "temppass", "trustno", "welcome", "wifi",
}

// commonPasswords are passwords of at least MinPassword characters that people choose again and again and that no rule
// of CheckPassword catches: titles, verses, clubs, bands. Sorted, in lower case.
var commonPasswords = [...]string{
	"alexandrapassword", "allyouneedislove", "areyoukiddingme", "arsenal12345", "backtothefuture",
	"barcelona1899", "basketball12", "basketball23", "batmanandrobin", "bestfriends1", "bestfriendsforever",
	"bigbangtheory", "blink182blink", "bringmethehorizon", "californication", "callofduty123", "callofdutymw3",
	"champagnesupernova", "charlottesweb", "chelseafc1905", "chocolatecake", "christopher1", "collingwood1",
	"constantinople", "correcthorse", "correcthorsebatterystaple", "counterstrike", "counterstrike1",
	"darthvader123", "deutschland1", "dontforgetme", "dontforgetthis", "dragonballz123", "everythingisawesome",
	"exploration1", "fallenangel1", "fightclub1999", "firefighter1", "flowerpower1", "forgetmenot1",
	"forgetmenots", "fortheloveofgod", "fullmetalalchemist", "gameofthrones", "gameofthrones1", "giveitaway123",
	"godisgood123", "godisgoodallthetime", "goodmorning1", "gotohell1234", "grandtheftauto", "greenday1234",
	"guardiansofthegalaxy", "guessthispassword", "harrypotter1", "harrypotter123", "harrypotter7",
	"heavymetal666", "hellohello123", "hellokitty12", "hellokitty123", "hellothere123", "helloworld12",
	"helloworld123", "heythisisme1", "houseofcards1", "howareyou123", "howimetyourmother", "iamlegend123",
	"iamthebest123", "iamtheking123", "icecreamcake", "ihateyou1234", "illuminati666", "ilovechocolate",
	"ilovegod1234", "ilovejesus123", "ilovemyfamily", "ilovemylife1", "ilovemymother", "ilovemymum123",
	"ilovemyself1", "ilovesummer1", "imperialmarch", "imthebest123", "independence", "internet1234",
	"inthebeginning", "isthisthingon", "jacksparrow1", "jamesbond007", "jenniferlopez", "jesuschrist1",
	"jesuschristislord", "jesusislord1", "jesuslovesme", "justinbieber", "justinbieber1", "keepcalmandcarryon",
	"killerqueen1", "kingofthehill", "knockknockneo", "letsgetiton123", "letthemeatcake", "linkinpark12",
	"linkinpark123", "liverpool1234", "liverpool1892", "liverpoolfc1", "liverpoolfc1892", "loveislove123",
	"lovelovelove1", "lovemeforever", "loveyouforever", "manchester123", "manchestercity", "manchesterunited",
	"manunited1234", "manutd123456", "maythe4thbewithyou", "maytheforcebewithyou", "metallica123", "metallica666",
	"michaeljackson", "michaeljordan", "microsoft123", "minecraft123", "minecraft1234", "motherfucker",
	"motherfucker1", "mothersday12", "myfavoritepassword", "mypassisbetter", "neverforget1",
	"nevergonnagiveyouup", "neversaynever", "newcastle1892", "newyorkcity1", "newyorkyankees", "ninjaturtles",
	"nothingelsematters", "onceuponatime", "onedirection", "onedirection1", "oneringtorulethemall",
	"opensesame123", "openupthedoor", "operations123", "ourhousewifi123", "paranoidandroid", "philadelphia",
	"photography1", "pineapplepizza", "playstation1", "playstation2", "playstation3", "playstation4",
	"pokemon12345", "prettywoman1", "professional", "raspberry123", "raspberrypi1", "realmadrid123",
	"realmadrid1902", "redhotchilipeppers", "rollingstones", "sanfrancisco", "saopaulofc123", "saturdaynight",
	"scoobydoo123", "scoobydoobydoo", "setupsetup123", "skateboarding", "slipknot1234", "smashingpumpkins",
	"somethingstupid", "southampton1", "spiderman1234", "spongebob123", "spongebob1234", "squarepants1",
	"stairwaytoheaven", "startrek1701", "starwars1234", "starwars1977", "strawberry123", "strawberryfields",
	"supernatural", "supernatural1", "superstar123", "sweethearts1", "swordfish123", "systemofadown",
	"tellmewhatyouwant", "thebeatles123", "thebigbangtheory", "thecakeisalie", "theforceawakens", "thegodfather",
	"thegreatescape", "themanwhosoldtheworld", "thequickbrownfox", "thequickbrownfoxjumpsoverthelazydog",
	"theshawshankredemption", "thisismypassword", "thisisnotapassword", "thisissparta", "thunderbird1",
	"tobeornottobe", "tothemoonandback", "transformers", "transformers1", "turtlepower1", "twilight1234",
	"unbelievable", "undertaker123", "undertheskin", "underworld123", "valentinesday", "vanhalen1984",
	"volkswagen123", "welcometothejungle", "wewillrockyou", "whatever1234", "whatismypassword", "whatisthematrix",
	"whosyourdaddy", "willyoumarryme", "winteriscoming", "wonderfulworld", "worldofwarcraft", "worldofwarcraft1",
	"xboxlive1234", "yabbadabbadoo", "yellowsubmarine", "youaremysunshine", "youllneverwalkalone",
	"youshallnotpass", "youwillneverguess", "youwillneverwalkalone", "zeppelin1234",
}
