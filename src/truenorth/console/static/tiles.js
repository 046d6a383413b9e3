// Key numbers, side by side.
export default {
  props: { tiles: Array },
  template: `
    <dl class="tn-tiles">
      <div v-for="(tile, n) in tiles" :key="n" class="tn-tile" :class="'tn-' + tile.tone">
        <dt>{{ tile.label }}</dt>
        <dd class="tn-value">
          <a v-if="tile.address" :href="tile.address">{{ tile.value }}</a>
          <span v-else>{{ tile.value }}</span>
        </dd>
        <dd class="tn-note">{{ tile.note }}</dd>
      </div>
    </dl>`,
};
