// The venue server that the program listens to, heard by the test itself: every trade with the moment it was told, so that the page
// can be measured against the event and not against the program's own stream.

/** Where the program listens to the prices of a venue. */
export async function tradesAddress(server, venue) {
  const { venues } = await server.get('/api/v1/feeds?limit=1');
  const urls = venues.find((v) => v.venue === venue).connections.map((c) => c.url);
  return urls.find((url) => url.includes('/market/')) ?? urls[0];
}

/** Listens from a page of its own; `heard()` are `[epoch milliseconds, price]` so far. Node 20 has no WebSocket, the browser has. */
export async function listen(browser, url, symbol) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.evaluate(
    ([address, stream]) => {
      window.trades = [];
      const socket = new WebSocket(address);
      socket.onopen = () => socket.send(JSON.stringify({ method: 'SUBSCRIBE', params: [stream], id: 1 }));
      socket.onmessage = ({ data }) => {
        const trade = JSON.parse(data).data;
        if (trade?.p !== undefined) window.trades.push([Date.now(), trade.p]);
      };
    },
    [url, `${symbol.toLowerCase()}@aggTrade`],
  );
  await page.waitForFunction(() => window.trades.length > 0);
  return { heard: () => page.evaluate(() => window.trades), close: () => context.close() };
}
