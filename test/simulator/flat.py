# flat.py - records in v1 form: custom fields by hash on the record itself, times without zone, addresses in parts.

ADDRESS = ("value", "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality", "route",
           "street_number", "subpremise", "postal_code", "formatted_address")


def custom(field, value):
    """{key: value} that one custom field puts on a v1 record."""
    code, kind, get = field.code, field.type, (value or {}).get if isinstance(value, (dict, type(None))) else None
    if kind == "enum":
        return {code: None if value is None else str(value)}
    if kind == "set":
        return {code: ",".join(map(str, value)) if value else None}
    if kind == "monetary":
        return {code: get("value"), code + "_currency": get("currency")}
    if kind == "daterange":
        return {code: get("value"), code + "_until": get("until")}
    if kind == "time":
        return {code: get("value"), code + "_timezone_id": get("timezone_id")}
    if kind == "timerange":
        return {code: get("value"), code + "_until": get("until"), code + "_timezone_id": get("timezone_id")}
    if kind == "address":
        return {code + ("" if part == "value" else "_" + part): get(part) for part in ADDRESS}
    return {code: value}


def time(text):
    return None if text is None else text.replace("T", " ").replace("Z", "")


def address(prefix, value):
    return {prefix + ("" if part == "value" else "_" + part): (value or {}).get(part) for part in ADDRESS}


def record(kind, data, known):
    """A row whose own form is v1, as lists and webhooks show it; custom fields only where they are set."""
    out = {}
    for key, value in data.items():
        if key != "custom_fields":
            out[key] = time(value) if kind.times == "blank" and key.endswith("_time") else value
    for field in known:
        value = data["custom_fields"].get(field.code)
        if value is not None:
            out.update(custom(field, value))
    return out


REFERENCES = {"user": "users", "org": "organizations", "people": "persons"}


def objects(store, known, record):
    """The custom fields of a record that point to rows, as the objects that v1 deals have in their place."""
    out = {}
    for field in known:
        if field.type in REFERENCES and record.get(field.code) is not None:
            row = store.tables[REFERENCES[field.type]].get(record[field.code])
            out[field.code] = {"name": row.data["name"] if row else None, "active_flag": row is not None,
                               "value": record[field.code]}
    return out
