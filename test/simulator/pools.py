# pools.py - the words the generator draws from, and the values that break careless clients.

from rawjson import Raw

FIRST = ["Anna", "Ben", "Chloé", "Dmitri", "Elif", "Farid", "Greta", "Hiro", "Inês", "Jürgen", "Kateřina",
         "Liam", "Małgorzata", "Noor", "Ольга", "Pedro", "Quinn", "Rosa", "Søren", "Tomás", "Umut",
         "Vera", "Wei", "Ximena", "Yara", "Zoë"]
LAST = ["Almeida", "Bauer", "Çelik", "Dubois", "Eriksen", "Fischer", "García", "Hansen", "Ивано́ва",
        "Jensen", "Kowalski", "Lefèvre", "Müller", "Nguyen", "O'Neill", "Petrov", "Rossi", "Sato",
        "Tamm", "Virtanen", "Weber", "Yılmaz", "Zhang"]
COMPANY = ["Alder", "Brightwater", "Cobalt", "Dornier", "Estuary", "Fjord", "Gneiss", "Halcyon", "Isar",
           "Juniper", "Kestrel", "Lumen", "Meridian", "Nordlicht", "Orchard", "Pinnacle", "Quarry",
           "Ravensburg", "Solstice", "Tallinn", "Umbra", "Vector", "Weser", "Zenith"]
TRADE = ["Foods", "Logistics", "Systems", "Textiles", "Energy", "Optics", "Machinery", "Health",
         "Printing", "Software", "Timber"]
LEGAL = ["GmbH", "Ltd", "OÜ", "S.A.", "Inc.", "AB", "B.V.", "ООО"]
PRODUCT = ["pilot", "annual licence", "renewal", "expansion", "support contract", "migration",
           "training days", "audit", "hardware refresh", "integration"]
CURRENCY = ["EUR", "USD", "GBP", "EUR", "SEK", "JPY"]
LOST = ["Price", "Chose a competitor", "No budget", "No answer", "Bad timing"]
LABEL = ["work", "home", "mobile", "other", ""]
ACTIVITY = ["Call {}", "Meet {}", "Send offer to {}", "Follow up with {}", "Demo for {}", "Lunch with {}"]

# Titles, names and texts with every escape and every awkward character.
EXOTIC = [
    'He said "yes" and \\ left',
    "tab\there, newline\nhere, return\rhere, backspace\b, form feed\f",
    "line\u2028separator and paragraph\u2029separator",
    "emoji \U0001F600 family \U0001F468\u200D\U0001F469\u200D\U0001F467 flag \U0001F1EA\U0001F1EA",
    Raw('"surrogate pair \\ud83d\\ude00 as escapes"'),
    Raw('"escaped \\u0022quote\\u0022 solidus \\/ letter \\u0041 \\u00e9 \\u2028"'),
    "controls \x01 \x1f \x7f \x85",
    "",
    "Robert'); DROP TABLE deals; --",
    "<b>html</b> &amp; {{template}} %s %n $1 ${x}",
    "العربية עברית 中文 日本語 한국어 ไทย",
    "  spaces around  ",
    "NULL",
    "e\u0301 combining and \u00e9 precomposed, zero\u200bwidth, no\u00a0break, \ufeffBOM",
]

ADDRESSES = [
    ("12 Harbour Road, Cork, Ireland", "Ireland", "County Cork", None, "Cork", None, "Harbour Road", "12",
     None, "T12 X8N6"),
    ("Mäealuse 2, 12618 Tallinn, Estonia", "Estonia", "Harju maakond", None, "Tallinn", "Mustamäe",
     "Mäealuse", "2", None, "12618"),
    ("ул. Ленина, 5, кв. 7, Рига", "Latvia", None, None, "Рига", None, "ул. Ленина", "5", "7", "LV-1010"),
    ("1600 Main St, Suite 4, Sunnyvale, CA 94085, USA", "USA", "CA", "Santa Clara", "Sunnyvale", None,
     "Main St", "1600", "Suite 4", "94085"),
    ("somewhere in the \"old\" town", None, None, None, None, None, None, None, None, None),
    ("〒100-0001 東京都千代田区千代田1-1", "Japan", "東京都", None, "千代田区", None, None, "1-1", None, "100-0001"),
]
ADDRESS_KEYS = ["value", "country", "admin_area_level_1", "admin_area_level_2", "locality",
                "sublocality", "route", "street_number", "subpremise", "postal_code"]
ZONES = [(263, "Europe/Tallinn"), (267, "Europe/Berlin"), (84, "America/New_York"), (1, "UTC"),
         (198, "Asia/Tokyo")]

# Amounts whose digits must survive, as JSON text.
AMOUNTS = [Raw("7000.0"), Raw("199.98"), Raw("0.1"), Raw("12345678901234567.89"), 0, Raw("0.0"), 1500,
           Raw("0.30000000000000004"), Raw("1.5e3"), Raw("99999999999.999"), Raw("-250.5"), Raw("1E-7"),
           9007199254740993]


def address(i, formatted=False):
    """An address object; custom fields also carry formatted_address."""
    out = dict(zip(ADDRESS_KEYS, ADDRESSES[i % len(ADDRESSES)]))
    if formatted:
        out["formatted_address"] = out["value"] if i % 3 else None
    return out
