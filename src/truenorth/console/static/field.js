// A field with its label and hint.
let last = 0;
export default {
  props: { label: String, kind: String, hint: String, options: Array, modelValue: [String, Number, Boolean] },
  emits: ["update:model-value"],
  data: () => ({ id: `tn-field-${++last}` }),
  template: `
    <div class="tn-field">
      <label :for="id">{{ label }}</label>
      <select v-if="kind === 'select'" :id="id" :value="modelValue" :aria-describedby="described" @change="changed">
        <option v-for="option in options" :value="option[0]">{{ option[1] }}</option>
      </select>
      <textarea v-else-if="kind === 'long'" :id="id" :value="modelValue" :aria-describedby="described"
        spellcheck="false" @input="changed"></textarea>
      <input v-else :id="id" :type="kind" :value="modelValue" :aria-describedby="described" autocomplete="off"
        @input="changed">
      <p v-if="hint" :id="id + '-hint'" class="tn-muted">{{ hint }}</p>
    </div>`,
  computed: {
    described() {
      return this.hint ? `${this.id}-hint` : null;
    },
  },
  methods: {
    changed(event) {
      this.$emit("update:model-value", event.target.value);
    },
  },
};
