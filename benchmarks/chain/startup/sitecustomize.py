"""Read at its start by every process of the site under fire, and by nothing else: the receivers are on this machine.

Webhooks may call it, over plain http, and letters go to a real mail server instead of the demo's folder.
"""

import os

if "CHAIN_SMTP_URL" in os.environ:
    os.environ["SMTP_URL"] = os.environ["CHAIN_SMTP_URL"]

    from silverwatch.adapters import notify, outbound

    notify.rules_for = lambda hosts: outbound.Rules(
        reach="machine", schemes=frozenset({"http"}), ports=None, hosts=frozenset(hosts)
    )
