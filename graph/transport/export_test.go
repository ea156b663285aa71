package transport

var WeightOf = weightOf
