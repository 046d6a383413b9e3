"""What events are called, in several languages: words that tell how a case ends and who takes part.

Each table holds beginnings of words, compared without case and accents. They are hints: every draft says which word
decided, so that a person can check it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from truenorth.discovery.names import folded

STEMS: Mapping[str, tuple[str, ...]] = {
    "achieved": (
        "fixed", "repair", "restored", "ripar", "repar", "behoben", "hersteld",
        "clos", "resolv", "solved", "complet", "paid", "payment", "approv", "delivered", "fulfil", "purchas",
        "settl", "finish", "done", "success", "releas", "discharg", "activat", "accept", "handled", "granted",
        "reimburs", "chius", "risol", "pagat", "pagament", "approvat", "consegn", "evas", "accett", "conclus",
        "liquidat", "geschloss", "abgeschloss", "erledig", "gelost", "bezahl", "zahlung", "genehmig",
        "geliefert", "zugestellt", "angenommen", "fertig", "beendet", "ausgeliefert", "gesloten", "afgerond",
        "afgehandeld", "opgelost", "betaald", "betaling", "goedgekeurd", "geleverd", "geaccepteerd",
        "voltooid", "cerrad", "resuelt", "pagad", "pago", "aprobad", "entregad", "aceptad", "finalizad",
        "terminad", "ferme", "clotur", "resolu", "paye", "paiement", "approuv", "livr", "termine", "acheve",
    ),
    "failed": (
        "cancel", "reject", "declin", "denied", "deny", "left", "churn", "complain", "collection", "refus",
        "withdraw", "expire", "fail", "abort", "disput", "lost", "chargeback", "abandon", "unsubscrib",
        "terminat", "annull", "rifiut", "respint", "reclam", "disdett", "negat", "fallit", "abbandon",
        "recupero", "storn", "abgelehnt", "ablehn", "abgebroch", "gekundigt", "kundigung", "beschwerde",
        "verweiger", "widerruf", "inkasso", "abbruch", "gescheitert", "geannuleerd", "afgewezen", "geweigerd",
        "klacht", "incasso", "opgezegd", "ingetrokken", "mislukt", "rechazad", "anulad", "denegad", "queja",
        "fallid", "abandonad", "annul", "rejet", "plainte", "resili", "recouvrement", "echou",
    ),
    "unsettled": (
        "remind", "error", "pending", "request", "retry", "partial", "reopen", "return", "cannot", "await",
        "sollecit", "richiest", "erinner", "mahnung", "fehler", "herinnering", "recordatorio", "rappel",
        "erreur",
    ),
    "reopened": (
        "again", "recur",
        "reopen", "return", "readmi", "recontact", "riapert", "riapri", "wiedereroffn", "wiedergeoffn",
        "heropen", "reabiert", "reabre", "rouvert", "reouvert", "reouvr",
    ),
    "waiting": (
        "wait", "pend", "hold", "suspend", "await", "queue", "attesa", "sospes", "warte", "wacht", "espera",
        "attente", "require",
    ),
    "customer": (
        "ask", "repl", "answer", "told", "fixed",
        "customer", "client", "caller", "call", "mail", "email", "phone", "chat", "wait", "await", "inform",
        "new", "nuov", "neu", "nieuw", "nuev", "notif", "clos", "letter", "visit", "complain", "appeal",
        "paid", "payment", "purchas", "order", "deliver", "submit", "sent", "send", "advise", "incoming",
        "inbound", "outbound", "receiv", "confirmation", "message", "survey", "registration", "triage",
        "admission", "release", "discharg", "offer", "credit", "review", "remind", "create", "insert",
        "cliente", "chiamat", "telefon", "lettera", "reclam", "chius", "consegn", "pagament", "sollecit",
        "ricevut", "kunde", "anruf", "brief", "beschwerde", "geschloss", "geliefert", "zahlung", "antwort",
        "ruckfrage", "klant", "nabellen", "bellen", "klacht", "gesloten", "geleverd", "betaling", "antwoord",
        "llamad", "correo", "carta", "queja", "cerrad", "entregad", "pago", "respuesta", "appel", "courrier",
        "lettre", "plainte", "livr", "paiement", "reponse",
    ),
    "decision": (
        "triag",
        "approv", "reject", "declin", "accept", "decid", "decision", "assess", "determin", "check", "validat",
        "verif", "priorit", "classif", "authori", "assign", "evaluat", "denied", "penalt", "valut", "verific",
        "autorizz", "assegn", "pruf", "genehmig", "entscheid", "bewert", "abgelehnt", "zugewies", "beoorde",
        "valider", "goedgekeurd", "afgewezen", "toegewez", "aprob", "rechaz", "evalu", "decis", "approuv",
    ),
}  # fmt: skip
"""Beginnings of words by what they hint at."""

UNSETTLED = frozenset(
    (
        "no", "not", "non", "nicht", "niet", "check", "choice", "method", "details", "card", "cash", "bug",
        "fout", "un", "create", "start", "begin", "initiate", "open", "prepare", "draft", "plan", "schedule",
        "requisition", "crea", "erstellen", "aanmaken", "crear", "creer",
    )
)  # fmt: skip
"""Whole words that take the ending out of an event's name, as ``payment method`` is no payment."""

TECHNICAL = ("end", "ende", "fine", "fin", "einde", "stop", "exit")
"""Whole names that only mark where a process ends."""

CUSTOMERS = (
    "customer", "client", "caller", "user", "citizen", "claimant", "applicant", "patient", "cliente", "kunde", "klant",
    "utente", "usuario", "subscriber", "guest", "offender",
)  # fmt: skip
"""Names of an actor that is the customer."""

RETURNS = ("came back", "comes back", "come back", "kam zuruck", "torna indietro", "kwam terug")
"""Words that say only together that somebody came back."""

MAX_WORDS = 40


@lru_cache(maxsize=4096)
def hint_of(name: str, table: str) -> str:
    """The first word of an event's name that a table knows, else nothing.

    >>> hint_of("Payment Handled", "achieved"), hint_of("A_DECLINED", "failed"), hint_of("Chiuso BO", "failed")
    ('payment', 'declined', '')
    """
    plain = folded(name[:400])
    words = plain.split()[:MAX_WORDS]
    if table == "reopened" and any(phrase in plain for phrase in RETURNS):
        return plain
    return next((word for word in words if word.startswith(STEMS[table])), "")


def ending_of(name: str) -> str:
    """How an event of this name ends a case, by its words: 'achieved', 'failed' or nothing.

    >>> ending_of("Closed"), ending_of("Send for Credit Collection"), ending_of("payment reminder"), ending_of("Review")
    ('achieved', 'failed', '', '')
    """
    if hint_of(name, "failed"):
        return "failed"
    if hint_of(name, "unsettled") or UNSETTLED.intersection(folded(name[:400]).split()):
        return ""
    return "achieved" if hint_of(name, "achieved") else ""


def is_technical(name: str) -> bool:
    """Whether a name only marks the end of a process.

    >>> is_technical("END"), is_technical("Closed")
    (True, False)
    """
    return folded(name[:400]) in TECHNICAL


def is_customer(actor: str) -> bool:
    """Whether an actor is called a customer.

    >>> is_customer("Customer"), is_customer("Call Centre Agent Sydney")
    (True, False)
    """
    return folded(actor[:400]) in CUSTOMERS
