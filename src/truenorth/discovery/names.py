"""What columns are called, in several languages: names by canonical field, best first.

A name is compared without case, accents, punctuation and spaces: ``caseID``, ``Case ID`` and ``case_id`` are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_APART = re.compile(r"[\W_]+")

STANDARD: Mapping[str, tuple[str, ...]] = {
    "case": ("case:concept:name",),
    "type": ("concept:name",),
    "time": ("time:timestamp",),
    "actor": ("org:resource",),
    "team": ("org:group",),
    "cost": ("cost:total",),
}
"""The names of the XES standard."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "case": (
        "case", "case id", "case number", "case key", "trace", "trace id", "ticket", "ticket id",
        "ticket number", "incident id", "incident number", "incident", "order id", "order number", "order",
        "claim id", "claim number", "claim", "application id", "application number", "application",
        "request id", "request number", "service id", "process instance", "process instance id", "process id",
        "instance id", "issue id", "issue", "complaint id", "booking id", "contract id", "policy number",
        "declaration", "declaration id", "invoice id", "journey id", "pratica", "id pratica", "numero pratica",
        "caso", "id caso", "richiesta id", "id richiesta", "ordine", "id ordine", "vorgang", "vorgangsnummer",
        "vorgangs id", "fall", "fall id", "fallnummer", "auftrag", "auftragsnummer", "bestellung",
        "bestellnummer", "zaak", "zaak id", "zaaknummer", "aanvraag", "aanvraag id", "bestelling", "dossier",
        "dossier id", "dossiernummer", "expediente",
        "shipment", "shipment id", "shipment number", "parcel", "parcel id", "tracking number", "consignment",
        "consignment id", "sendung", "sendungs id", "sendungsnummer", "spedizione", "zending", "envio",
        "appointment", "appointment id", "appointment reference", "encounter", "encounter id", "termin",
        "caso id", "pedido", "id pedido", "solicitud", "commande",
        "id commande", "demande", "number", "numero", "nummer", "id",
    ),
    "type": (
        "activity", "event", "event type", "event name", "activity name", "event class", "operation", "action",
        "task", "task name", "step", "type", "activity type", "message type", "attivita", "evento",
        "tipo evento", "operazione", "azione", "aktivitat", "ereignis", "schritt", "tatigkeit", "activiteit",
        "gebeurtenis", "stap", "handeling", "actividad", "accion", "activite", "evenement", "etape",
        "ident state", "incident state", "state", "status", "stage", "phase", "stato", "stato log", "estado",
        "statut", "etat", "zustand", "toestand",
    ),
    "time": (
        "timestamp", "time", "event time", "event timestamp", "occurred at", "original timestamp", "date time",
        "ts", "complete timestamp", "completion timestamp", "complete time", "completion time", "completed at",
        "completed", "end timestamp", "end time", "end date", "end", "finish time", "finished at",
        "sys updated at", "sys updated on", "updated at", "updated on", "changed at", "modified at",
        "zeitstempel", "zeitpunkt", "endzeit", "data ora", "data evento", "data fine", "fecha hora",
        "fecha evento", "fecha fin", "tijdstip", "eindtijd", "horodatage", "date heure", "date fin", "date",
        "data", "fecha", "datum", "ora", "hora", "tijd", "heure", "uhrzeit", "created at", "created on",
        "created", "sent at", "start timestamp", "start time", "start date", "started at", "start", "begin",
        "startzeit", "inizio", "inicio", "debut", "data inizio",
    ),
    "received": ("received at", "received", "ingested at", "loaded at"),
    "id": ("event id", "message id", "insert id", "uuid", "event uuid"),
    "customer": (
        "customer", "customer id", "customer number", "customer name", "client", "client id", "client name",
        "caller", "caller id", "subscriber", "subscriber id", "patient", "patient id", "claimant", "applicant",
        "citizen", "policyholder", "consumer", "member", "member id", "guest", "guest id", "passenger",
        "visitor", "visitor id", "person", "person id", "subject reference",
        "patient reference", "msisdn", "account", "account id", "cliente", "id cliente",
        "codice cliente", "kunde", "kunden id", "kundennummer", "kundennr", "klant", "klant id", "klantnummer",
        "cliente id", "client numero", "id client", "distinct id", "anonymous id", "user", "user id", "uid",
        "utente", "id utente", "nutzer", "gebruiker", "usuario", "id usuario", "utilisateur", "username",
        "user name", "screen name", "author", "sender", "name",
    ),
    "actor": (
        "resource", "agent", "agent name", "agent id", "employee", "employee id",
        "operator", "operator id", "handler", "handled by", "performed by", "performer", "executed by",
        "worker", "staff", "sys updated by", "updated by", "changed by", "assigned to", "assignee",
        "owner", "clerk", "officer", "driver", "driver id", "courier", "practitioner", "practitioner reference",
        "fahrer", "autista", "chauffeur",
        "originator", "actor", "operatore", "addetto", "risorsa", "assegnatario", "mitarbeiter", "bearbeiter",
        "sachbearbeiter", "ressource", "medewerker", "behandelaar", "empleado", "agente", "recurso",
        "responsable", "employe", "conseiller", "user", "user id", "username", "user name",
    ),
    "team": (
        "group", "team", "assignment group", "workgroup", "work group", "support group", "department",
        "team name", "org unit", "organizational unit", "unit", "queue", "section", "agent position",
        "agent group", "role", "org role", "gruppo", "reparto", "squadra", "ufficio", "gruppe", "abteilung",
        "groep", "afdeling", "werkgroep", "grupo", "equipo", "departamento", "equipe", "groupe", "departement",
        "position",
    ),
    "channel": (
        "channel", "contact type", "contact channel", "source channel", "canale", "kanal", "kanaal", "canal",
        "platform", "medium", "contact method", "piattaforma", "plattform", "plataforma", "plateforme",
        "device",
    ),
    "cost": (
        "cost", "costs", "total cost", "cost eur", "cost usd", "expense", "expenses", "handling cost", "costo",
        "costi", "kosten", "coste", "gasto", "cout", "couts", "frais", "spesa",
    ),
    "revenue": (
        "revenue", "payment amount", "paid amount", "amount paid", "sales", "turnover", "income", "ricavo",
        "ricavi", "incasso", "importo pagato", "umsatz", "erlos", "zahlbetrag", "omzet", "ingreso", "ingresos",
        "revenu", "chiffre d affaires", "montant paye",
    ),
    "feeling": ("feeling", "sentiment", "sentiment score", "polarity", "mood", "sentimento", "stimmung", "sentimiento"),
    "text": (
        "text", "comment", "comments", "message", "feedback", "verbatim", "body", "review text", "testo",
        "commento", "messaggio", "nachricht", "kommentar", "opmerking", "bericht", "comentario", "mensaje",
        "commentaire",
    ),
}  # fmt: skip
"""Names by field, best first."""

WHOLE_ONLY = frozenset(
    (
        "name", "author", "sender", "number", "numero", "nummer", "id", "type", "order", "end", "start",
        "date", "data", "user", "owner", "role", "position", "section", "unit", "body", "message", "sales",
        "device", "medium", "fall", "person", "member", "account", "application", "request", "event", "state",
        "status", "stage", "phase", "guest", "position", "resource", "begin", "created", "ts", "time", "hora",
        "ora", "text", "income", "agent", "customer", "client", "group", "team", "agente", "cliente", "kunde",
        "klant", "case", "incident", "claim", "issue", "ticket", "trace", "staff", "queue", "uid", "uuid",
        "received", "completed", "action", "step", "task", "operation", "dossier", "kosten", "declaration",
        "cost", "costs", "expense", "expenses", "charge", "sentiment", "feeling", "mood",
        "shipment", "parcel", "consignment", "sendung", "spedizione", "zending", "envio", "appointment", "encounter",
        "termin", "driver", "courier", "practitioner", "fahrer", "autista", "chauffeur",
    )
)  # fmt: skip
"""Words too common to mean the field inside a longer name (``customer segment`` names no customer)."""

SESSIONS = ("session", "session id", "visit", "visit id", "sessione", "sitzung", "sessie", "sesion")
"""A visit: how a company cuts a customer's events, not what the customer came for."""

STARTS = ("start", "started", "begin", "inizio", "startzeit", "inicio", "debut", "von", "open", "opened")
ENDS = ("end", "ended", "complete", "completed", "completion", "finish", "finished", "fine", "ende", "endzeit", "fin")
"""Words that tell the two columns of a start and an end apart."""


def folded(name: str) -> str:
    """A name in lower case, without accents, its words apart by one space.

    >>> folded("caseID"), folded("Attività"), folded("org:group")
    ('case id', 'attivita', 'org group')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", _CAMEL.sub(" ", name)) if not unicodedata.combining(c))
    return _APART.sub(" ", plain.casefold()).strip()


def name_score(column: str, field: str) -> float:
    """How well a column's name says that it is a field: 3 a standard name, about 2 a name of the list, about 1 a part
    of the name, 0 nothing.

    >>> name_score("concept:name", "type"), name_score("Case ID", "case") > 1.9, name_score("xyz", "case")
    (3.0, True, 0.0)
    >>> name_score("call_start_time", "time") > 0, name_score("customer_segment", "customer")
    (True, 0.0)
    """
    if column in STANDARD.get(field, ()):
        return 3.0
    name = folded(column)
    if field not in ("case", "time") and name.startswith("case "):
        name = name.removeprefix("case ")
    return max((_phrase_score(name, phrase, at) for at, phrase in enumerate(NAMES.get(field, ()))), default=0.0)


def _phrase_score(name: str, phrase: str, place: int) -> float:
    if name.replace(" ", "") == phrase.replace(" ", ""):
        return 2.0 - place / 100
    if phrase in WHOLE_ONLY:
        return 0.0
    if name.endswith(f" {phrase}"):
        return 1.2 - place / 500
    return 1.0 - place / 500 if f" {phrase} " in f" {name} " else 0.0


def is_session(column: str) -> bool:
    """Whether a column is called a session or a visit.

    >>> is_session("session_id"), is_session("Case ID")
    (True, False)
    """
    return folded(column) in SESSIONS


def says(column: str, words: tuple[str, ...]) -> bool:
    """Whether one of some words is a word of a column's name.

    >>> says("Start Date", STARTS), says("End Date", STARTS)
    (True, False)
    """
    return any(word in folded(column).split() for word in words)
