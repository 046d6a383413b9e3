import { Analytics } from '@segment/analytics-node'
import { address, fail, nEvents, sendAll, writeKey } from './sending.js'

const analytics = new Analytics({ writeKey, host: address })
analytics.on('error', fail)
await sendAll((number) =>
  analytics.track({ userId: `u${number}`, event: 'Order Completed', properties: { case: `o${number}`, revenue: number } }),
)
await analytics.closeAndFlush({ timeout: 60_000 })
