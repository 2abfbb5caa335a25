# products.py - products (v2): prices in several currencies, custom fields of their own.

import random

import pools
from entity import Entity
from params import CUSTOM, IDS, ONLY_VISIBILITY, PAGE, SINCE, ints, sort
from plan import FIRST_USER, stamp
from rawjson import Raw, plain

COLUMNS = [
    ("id", "ID", "int"), ("name", "Name", "varchar"), ("tax", "Tax", "double"), ("add_time", "Add time", "date"),
    ("update_time", "Update time", "date"), ("description", "Description", "text"), ("code", "Product code", "varchar"),
    ("unit", "Unit", "varchar"), ("owner_id", "Owner", "user"), ("category", "Category", "enum"),
    ("is_deleted", "Deleted", "boolean"), ("is_linkable", "Linkable", "boolean"),
    ("prices", "Unit prices", "price_list"), ("custom_fields", None, None), ("visible_to", "Visible to", "visible_to"),
    ("billing_frequency", "Billing frequency", "billing_frequency"),
    ("billing_frequency_cycles", "Billing frequency cycles", "int"),
]
CATEGORIES = [("18", "Services", None), ("19", "Hardware", None), ("262", "Retail", None)]
FREQUENCIES = ["one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly"]
FIELDS = [
    ("Supplier code", "varchar", None, None), ("Series", "varchar_auto", None, None), ("Manual", "text", None, None),
    ("Support line", "phone", None, None), ("Weight", "double", None, None), ("List price", "monetary", None, None),
    ("Grade", "enum", ["A", "B", "Discontinued"], 2), ("Certificates", "set", ["CE", "UL", "RoHS"], None),
    ("Product manager", "user", None, None), ("Supplier", "org", None, None), ("Designer", "people", None, None),
    ("On sale since", "date", None, None), ("Season", "daterange", None, None), ("Code", "varchar", None, None),
    ("Cut-off", "time", None, None), ("Delivery window", "timerange", None, None), ("Stored at", "address", None, None),
    ("Цвет", "varchar", None, None),
]


def prices(r, i, number):
    """At least one row; without a price the account's currency stands there with 0."""
    if i % 5 == 0:
        return [price(number, 0, "EUR", 0, 0, "")]
    amount = pools.AMOUNTS[i % len(pools.AMOUNTS)] if i % 4 == 1 else Raw("%d.%02d" % (r.random() * 900, i % 100))
    return [price(number, amount, currency, Raw("%d.5" % i), None if i % 3 else 0, "" if k else "per piece")
            for k, currency in enumerate(dict.fromkeys(pools.CURRENCY[i % 6:i % 6 + 1 + i % 3]))]


def price(number, amount, currency, cost, direct, notes):
    return {"product_id": number, "price": amount, "currency": currency, "cost": cost, "direct_cost": direct,
            "notes": notes}


def cycles(billing, i):
    """None for one-time, a number for weekly, both for the others."""
    return None if billing == "one-time" or i % 2 and billing != "weekly" else 1 + i % 208


def make(plan, values, store):
    r, out, ids = random.Random("%s/products" % plan.seed), [], plan.ids(max(2, plan.scale // 5))
    for i, number in enumerate(ids):
        add, update = plan.times(r, i, len(ids))
        name = "%s %s" % (r.choice(pools.COMPANY), r.choice(pools.PRODUCT))
        if i < 120 and i % 8 == 3:
            name = pools.EXOTIC[(i // 8) % len(pools.EXOTIC)]
        billing = FREQUENCIES[i % 6]
        out.append({
            "id": number, "name": name, "tax": (0, 20, Raw("7.5"))[i % 3], "add_time": stamp(add),
            "update_time": stamp(add if update is None else update),
            "description": "" if i % 3 else "<b>Part</b> & more", "code": "" if i % 4 == 2 else "P-%05d" % number, "unit": ("", "piece", "час")[i % 3],
            "owner_id": plan.users[(i * 3) % 11], "category": None if i % 4 == 0 else CATEGORIES[i % 3][0],
            "is_deleted": i % 23 == 22, "is_linkable": i % 9 != 8, "prices": prices(r, i, number),
            "custom_fields": values(i), "visible_to": (3, 1, 5, 7)[i % 4], "billing_frequency": billing,
            "billing_frequency_cycles": cycles(billing, i)})
    return out


def own_prices(data, values, now, order):
    """Prices carry the product's id."""
    data["prices"] = [dict(price(data["id"], 0, "EUR", 0, 0, ""), **one) for one in data["prices"]]


def with_category(data, switches, user):
    if switches["product_category"] == "option_id":
        return data
    labels = {number: label for number, label, _ in CATEGORIES}
    return dict(data, category=labels.get(data["category"], data["category"]))


def flat_parts(data):
    name = plain(data["name"]) or ""
    return {"company_id": 100200300, "active_flag": not data["is_deleted"], "selectable": data["is_linkable"],
            "first_char": name[:1].lower() or None, "files_count": None,
            "prices": [{"id": data["id"] * 10 + k, "product_id": one["product_id"], "price": one["price"],
                        "currency": one["currency"], "cost": one["cost"], "overhead_cost": one["direct_cost"]}
                       for k, one in enumerate(data["prices"])]}


PRODUCTS = Entity(
    "products", title="Product", columns=COLUMNS, custom=FIELDS, owner="owner_id", deleted=("is_deleted", True),
    options={"category": CATEGORIES, "billing_frequency": [(key, key.capitalize(), None) for key in FREQUENCIES]},
    plan_keys=("billing_frequency", "billing_frequency_cycles"),
    endpoints=[
        ("/api/v2/products", "list", 10, "products", ints("owner_id", "filter_id") + IDS + SINCE + CUSTOM
         + sort("name") + PAGE),
        ("/api/v2/products/{id}", "one", 1, "products", []),
        ("/api/v2/productFields", "fields", 10, "products", ONLY_VISIBILITY + PAGE),
        ("/api/v2/productFields/{code}", "field", 1, "products", ONLY_VISIBILITY),
    ],
    saved={61: ("Products with a category", lambda d: d["category"] is not None)}, silent=("owner_id",),
    make=make,
    new=lambda: {"name": "New product", "tax": 0, "description": "", "code": "", "unit": "", "owner_id": FIRST_USER,
                 "is_linkable": True, "prices": [{}], "custom_fields": {}, "visible_to": 3,
                 "billing_frequency": "one-time"},
    on_create=own_prices, on_change=own_prices, seen=with_category,
    object="product",
    event=dict(dict.fromkeys(("id", "name", "code", "tax", "category", "owner_id", "add_time", "update_time",
                              "visible_to", "prices", "custom_fields")),
               selectable="is_linkable", description=lambda d: d["description"] or None,
               unit=lambda d: d["unit"] or None),
    flat_hidden=("is_deleted", "is_linkable", "billing_frequency", "billing_frequency_cycles"), flat_parts=flat_parts)

ENTITIES = [PRODUCTS]
