package greenhouse

// bay is where a station stands, and how that place differs from the others.
type bay struct {
	name, description string

	heated   float64 // Cel: the heating keeps the air above this
	vented   float64 // Cel: the vents open above this
	clear    float64 // share of the outside light that reaches the plants
	respires float64 // ppm of CO2 that a long night adds

	wet    float64 // % soil moisture after watering
	thirst float64 // % of soil moisture lost on a day of full sun
	every  int64   // days from one watering to the next, at most longestDry

	worn   float64 // how much deeper than a new battery this one is drained each day, 1 is new
	patchy float64 // chance of a drop-out of the radio in two days
}

var bays = [...]bay{
	{"tomatoes-north", "Tomatoes, north bay", 16, 26, 0.62, 420, 36, 7, 2, 1, 0.4},
	{"tomatoes-south", "Tomatoes, south bay: the sunny side", 16, 26, 0.70, 440, 35, 8, 2, 1, 0.4},
	{"cucumbers", "Cucumbers: warm, wet and watered every day", 18, 28, 0.60, 480, 44, 9, 1, 1, 0.5},
	{"peppers", "Peppers: the thermometer of this station fails now and then", 17, 27, 0.64, 390, 34, 6, 2, 1, 0.5},
	{"strawberries", "Strawberries, raised gutters", 8, 22, 0.66, 260, 40, 6, 2, 1.2, 0.6},
	{"lettuce", "Lettuce, under the shade screen", 10, 22, 0.42, 280, 42, 5, 3, 1, 0.5},
	{"basil", "Basil, far corner: a weak radio and an old battery", 18, 27, 0.55, 320, 38, 7, 1, 1.6, 0.9},
	{"seedlings", "Seedlings, propagation table", 20, 28, 0.50, 230, 48, 5, 3, 1, 0.4},
}

// failing is the place in bays of the station whose thermometer fails.
const failing = 3
