// The newcomer's page at `/`: a customer's chat and an agent's side by side. Off in production.
import { join } from 'node:path'
import express, { Router } from 'express'

/** @param folder where the build has put the page: `dist/web/demo` */
export function createDemo({ folder }: { folder: string }): Router {
  const router = Router({ strict: true })
  router.get('/', (_request, response) => response.sendFile(join(folder, 'index.html')))
  router.use('/demo', express.static(folder, { index: false, redirect: false }))
  return router
}
