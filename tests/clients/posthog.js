import { PostHog } from 'posthog-node'
import { address, fail, sendAll, writeKey } from './sending.js'

const posthog = new PostHog(writeKey, { host: address })
posthog.on('error', fail)
await sendAll((number) =>
  posthog.capture({ distinctId: `u${number}`, event: 'Order Completed', properties: { case: `o${number}`, revenue: number } }),
)
await posthog.shutdown(60_000)
