# errors.py - the error answers of the API: one exception, one row per kind.

from rawjson import encode


class ApiError(Exception):
    """An answer other than 200; raised anywhere while a request is worked on."""

    def __init__(self, status, body, headers=()):
        super().__init__(status)
        self.status, self.body, self.headers = status, encode(body), list(headers)


INFO = "Please check developers.pipedrive.com"


def gateway(status, text, headers=()):
    """An error of the gateway: errorCode is a number."""
    return ApiError(status, {"success": False, "error": text, "errorCode": status, "error_info": INFO},
                    headers)


def service(status, text, code):
    """An error of the service behind the gateway: code is a name."""
    return ApiError(status, {"success": False, "error": text, "code": code, "error_info": INFO,
                             "data": None, "additional_data": None})


def invalid(text):
    return service(400, text, "ERR_SCHEMA_VALIDATION_FAILED")


def unauthorized():
    return gateway(401, "unauthorized access", [("x-401-by-gw", "1")])


def wrong_scope():
    return gateway(403, "Scope and URL mismatch")


def not_found(what):
    return service(404, "%s not found" % what, "ERR_NOT_FOUND")
