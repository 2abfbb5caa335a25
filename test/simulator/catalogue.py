# catalogue.py - all kinds of rows that the account has; a new kind is a row in a family file, a new family a line here.

import core
import leads
import lists
import notes
import products

FAMILIES = (core, products, leads, notes, lists)
ENTITIES = {kind.name: kind for family in FAMILIES for kind in family.ENTITIES}


def sharing(entity):
    """The kinds whose rows carry this one's custom fields."""
    return [name for name, kind in ENTITIES.items() if entity in (name, kind.fields_of)]
