"""What customers say: sentences put together from an opening by mood, a theme by need, and a wording."""

from __future__ import annotations

from itertools import product

from truenorth.simulate.journeys import JOURNEYS

TONES = ("pleased", "plain", "cross")
N_WORDINGS = 3
N_ROWS = 7
"""Rows of sentences, in the order of tables.SPEAKING."""

_THEMES = {
    "en": {
        "connect": ("the line in my new home", "changing to you", "the fibre connection"),
        "help": ("my slow internet", "the line that is down", "the router"),
        "bill": ("the amount on my bill", "a charge that is not mine", "a bill I do not understand"),
        "move": ("my move within town", "my move to another town", "a new home without a cable"),
    },
    "de": {
        "connect": ("den Anschluss in der neuen Wohnung", "den Wechsel zu Ihnen", "den Glasfaseranschluss"),
        "help": ("mein langsames Internet", "die tote Leitung", "den Router"),
        "bill": ("den Betrag auf der Rechnung", "einen fremden Posten", "eine unverständliche Rechnung"),
        "move": ("meinen Umzug in der Stadt", "meinen Umzug in eine andere Stadt", "ein Haus ohne Kabel"),
    },
    "fr": {
        "connect": ("la ligne de mon nouveau logement", "mon passage chez vous", "la fibre"),
        "help": ("ma connexion lente", "la ligne coupée", "la box"),
        "bill": ("le montant de ma facture", "un achat qui n'est pas de moi", "une facture obscure"),
        "move": ("mon déménagement en ville", "mon déménagement au loin", "un logement sans câble"),
    },
    "es": {
        "connect": ("la línea de mi nueva casa", "mi cambio a ustedes", "la fibra"),
        "help": ("mi internet lento", "la línea cortada", "el router"),
        "bill": ("el importe de mi factura", "un cargo que no es mío", "una factura que no entiendo"),
        "move": ("mi mudanza en la ciudad", "mi mudanza a otra ciudad", "una casa sin cable"),
    },
}
_ABOUT = {"en": "It is about {}.", "de": "Es geht um {}.", "fr": "C'est au sujet de {}.", "es": "Se trata de {}."}
_OPENINGS = {
    "en": (
        ("Hello, thank you for your time.", "Good morning, I am sure you can help.", "Hi, you were kind last time."),
        ("Hello.", "I have a question.", "Please look at this."),
        ("This cannot be true.", "I am really annoyed.", "How much longer is this to take?"),
    ),
    "de": (
        (
            "Guten Tag, danke für Ihre Zeit.",
            "Hallo, Sie können mir sicher helfen.",
            "Grüß Gott, zuletzt war alles gut.",
        ),
        ("Guten Tag.", "Ich habe eine Frage.", "Bitte sehen Sie nach."),
        ("Das kann nicht wahr sein.", "Ich bin wirklich verärgert.", "Wie lange soll das noch dauern?"),
    ),
    "fr": (
        (
            "Bonjour, merci de votre temps.",
            "Bonjour, vous pouvez sûrement m'aider.",
            "Bonjour, tout allait bien avec vous.",
        ),
        ("Bonjour.", "J'ai une question.", "Regardez, s'il vous plaît."),
        ("Ce n'est pas possible.", "Je suis vraiment fâché.", "Combien de temps encore ?"),
    ),
    "es": (
        (
            "Hola, gracias por su tiempo.",
            "Buenos días, seguro que pueden ayudarme.",
            "Hola, la última vez fue todo bien.",
        ),
        ("Hola.", "Tengo una pregunta.", "Por favor, mírenlo."),
        ("No puede ser.", "Estoy muy molesto.", "¿Cuánto tiempo más?"),
    ),
}
_ENDINGS = {
    "en": (
        "",
        "I had to call again.",
        "It is back again.",
        "I want to complain.",
        "Any news?",
        "I am leaving.",
        "That was my impression.",
    ),
    "de": (
        "",
        "Ich musste noch einmal anrufen.",
        "Es ist wieder da.",
        "Ich beschwere mich.",
        "Gibt es etwas Neues?",
        "Ich kündige.",
        "Das war mein Eindruck.",
    ),
    "fr": (
        "",
        "J'ai dû rappeler.",
        "C'est revenu.",
        "Je me plains.",
        "Du nouveau ?",
        "Je vous quitte.",
        "Voilà mon impression.",
    ),
    "es": (
        "",
        "He tenido que llamar otra vez.",
        "Ha vuelto a pasar.",
        "Quiero quejarme.",
        "¿Alguna novedad?",
        "Me voy.",
        "Esa fue mi impresión.",
    ),
}


def sentences() -> list[str]:
    """All sentences; the position of each is the code that `loop.sentence` computes.

    >>> len(sentences()) == N_ROWS * 4 * 3 * len(TONES) * 4 * N_WORDINGS
    True
    >>> sentences()[0]
    'Hello, thank you for your time. It is about the line in my new home.'
    """
    journeys = [journey.name for journey in JOURNEYS]
    spans = product(range(N_ROWS), journeys, range(3), range(len(TONES)), _THEMES, range(N_WORDINGS))
    return [_sentence(*span) for span in spans]


def _sentence(row: int, journey: str, category: int, tone: int, language: str, wording: int) -> str:
    about = _ABOUT[language].format(_THEMES[language][journey][category])
    return " ".join(filter(None, (_OPENINGS[language][tone][wording], about, _ENDINGS[language][row])))
