// A table. Every text goes in as text.
export default {
  props: { caption: String, columns: Array, rows: Array, empty: String },
  emits: ["act"],
  template: `
    <div class="tn-scroll" role="region" tabindex="0" :aria-label="caption">
      <p v-if="!rows.length" class="tn-muted">{{ empty }}</p>
      <table v-else class="tn-table">
        <caption class="tn-hidden">{{ caption }}</caption>
        <thead>
          <tr>
            <th v-for="column in columns" scope="col" :class="'tn-' + column.kind">{{ column.title }}</th>
            <th v-if="hasActs" scope="col"><span class="tn-hidden">What can be done</span></th>
          </tr>
        </thead>
        <tbody>
          <tr v-for="(row, number) in rows" :key="number">
            <td v-for="(cell, place) in row.cells" :class="'tn-' + columns[place].kind">
              <a v-if="place === 0 && row.address" :href="row.address"><bdi class="tn-cell">{{ cell.text }}</bdi></a>
              <bdi v-else-if="cell.tone" :class="'tn-tag tn-' + cell.tone">{{ cell.text }}</bdi>
              <bdi v-else class="tn-cell">{{ cell.text }}</bdi>
            </td>
            <td v-if="hasActs" class="tn-acts">
              <button v-for="one in row.acts" type="button" @click="act(one, number)"
                :aria-label="one.words + ': ' + row.cells[0].text.slice(0, 80)">{{ one.words }}</button>
            </td>
          </tr>
        </tbody>
      </table>
    </div>`,
  computed: {
    hasActs() {
      return this.rows.some((row) => row.acts.length);
    },
  },
  methods: {
    act(one, number) {
      if (!one.asks || window.confirm(one.asks)) this.$emit("act", one.name, number);
    },
  },
};
