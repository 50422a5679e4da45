// How the page is built, and served while one works on it. `npm run dev` answers on port 3000 (R4.45) and hands every address of
// the API to a running barograph; BAROGRAPH_URL says where that is.
import { defineConfig } from 'vite';

const server = process.env['BAROGRAPH_URL'] ?? 'http://127.0.0.1:8600';
// The Host header stays that of port 3000, as the Origin does: the server refuses writes where the two differ.
const proxied = { target: server, changeOrigin: false };

export default defineConfig({
  base: '/',
  server: {
    host: '127.0.0.1',
    port: 3000,
    strictPort: true,
    proxy: { '/api': proxied, '/healthz': proxied, '/readyz': proxied, '/metrics': proxied, '/docs': proxied, '/openapi.json': proxied },
  },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsDir: 'assets',
    // Data addresses would need `img-src data:` for nothing.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What every page needs is one file, and so are the pages that are opened seldom: together they compress better than apart, and none
    // draws the other in.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: 'base', test: /node_modules\/@?preact\/|preload-helper|\/NOTICE|\/src\/(?!main|chart\/|pages\/(market|lab|whatif|paper|cases|agents)\/)/ },
            { name: 'more', test: /pages\/(lab|whatif|paper)\// },
          ],
        },
      },
    },
  },
});
