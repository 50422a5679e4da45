"""The published server of CoinEx's tools as it is, with its exchange on loopback: COINEX_ON is the base address of that."""
import os

from coinex_mcp_server import coinex_client, main

made = coinex_client.CoinExClient.__init__


def on_loopback(self, *args, **kwargs):
    made(self, *args, **kwargs)
    self.base_url = os.environ["COINEX_ON"]


coinex_client.CoinExClient.__init__ = on_loopback
main.main()
