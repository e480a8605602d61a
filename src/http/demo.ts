// The newcomer's page at `/`: a customer's chat and an agent's side by side. Off in production.
import { join } from 'node:path'
import express, { Router } from 'express'

/** @param folder where the build has put the page: `dist/web/demo` */
export function createDemo({ folder }: { folder: string }): Router {
  const router = Router({ strict: true })
  router.get('/', (request, response) => {
    // Its links are relative: they count from the last slash.
    const { pathname } = new URL(request.originalUrl, 'http://here')
    if (pathname.endsWith('/')) response.sendFile(join(folder, 'index.html'))
    else response.redirect(308, `${request.baseUrl}/`)
  })
  router.use('/demo', express.static(folder, { index: false, redirect: false }))
  return router
}
